"""scikit-learn estimators over the library's functions: fit on rows, transform to codes.

They compute in double precision whatever JAX is set to, change none of its settings, and hold
numpy arrays only. They take data as rows and do the bookkeeping; the theory is in the functions
that each of them names. Not imported by `import linssl`.

There is no `score`: the loss of a harder augmentation is larger, so that a search by it would
choose the weakest. Choose `alpha`, `dim` and the rest by what the codes are for, in a pipeline:

    pipeline = make_pipeline(JointEmbedding(8, aligned=nuisance), RidgeClassifier())
    GridSearchCV(pipeline, {"jointembedding__alpha": [0, 1, 3]}).fit(X, y)
"""

from linssl.estimators.base import NumericalTroubleWarning as NumericalTroubleWarning
from linssl.estimators.joint_embedding import JointEmbedding
from linssl.estimators.reconstruction import Reconstruction
from linssl.estimators.semantic import SemanticJointEmbedding
from linssl.estimators.simvae import SimVAE
from linssl.estimators.solved import SolvedEncoder, as_estimator

__all__ = [
    "JointEmbedding",
    "Reconstruction",
    "SemanticJointEmbedding",
    "SimVAE",
    "SolvedEncoder",
    "as_estimator",
]
