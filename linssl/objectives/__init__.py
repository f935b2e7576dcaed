"""Objectives: one closed form a file; each reads a `PairMoments` and gives a `Solution`."""

from linssl.linalg.status import Status as Status
from linssl.objectives.adassl import AdaSSLSolution as AdaSSLSolution
from linssl.objectives.adassl import adassl as adassl
from linssl.objectives.alignment import alignment_only as alignment_only
from linssl.objectives.alignment import invariance_only as invariance_only
from linssl.objectives.barlow_twins import barlow_twins as barlow_twins
from linssl.objectives.canonical_correlation import (
    canonical_correlation as canonical_correlation,
)
from linssl.objectives.export import save_encoder as save_encoder
from linssl.objectives.factorised import Bound as Bound
from linssl.objectives.factorised import FactorisedSimVAESolution as FactorisedSimVAESolution
from linssl.objectives.factorised import factorised_simvae as factorised_simvae
from linssl.objectives.factorised import simvae_elbo as simvae_elbo
from linssl.objectives.info_nce import info_nce as info_nce
from linssl.objectives.joint_embedding import joint_embedding as joint_embedding
from linssl.objectives.latent.model import Gaussian as Gaussian
from linssl.objectives.latent.model import GroupModel as GroupModel
from linssl.objectives.latent.model import GroupPosterior as GroupPosterior
from linssl.objectives.plda import PLDASolution as PLDASolution
from linssl.objectives.plda import plda as plda
from linssl.objectives.reconstruction import reconstruction as reconstruction
from linssl.objectives.reconstruction import supervised as supervised
from linssl.objectives.reconstruction_path import (
    reconstruction_path as reconstruction_path,
)
from linssl.objectives.simvae import SimVAESolution as SimVAESolution
from linssl.objectives.simvae import simvae as simvae
from linssl.objectives.soft_constraint import soft_constraint as soft_constraint
from linssl.objectives.solution import NumericalTroubleError as NumericalTroubleError
from linssl.objectives.solution import Solution as Solution
from linssl.objectives.solution import check as check
from linssl.objectives.solution import explain as explain
from linssl.objectives.solution import identified as identified
from linssl.objectives.spectral_contrastive import (
    spectral_contrastive as spectral_contrastive,
)
