"""What n samples in d dimensions allow, in the limit of both."""

from linssl.theory.finite_samples.joint_embedding import DetectionThreshold as DetectionThreshold
from linssl.theory.finite_samples.joint_embedding import SpikedDetection as SpikedDetection
from linssl.theory.finite_samples.joint_embedding import SpikedPrediction as SpikedPrediction
from linssl.theory.finite_samples.joint_embedding import detection_threshold as detection_threshold
from linssl.theory.finite_samples.joint_embedding import (
    spiked_joint_embedding as spiked_joint_embedding,
)
from linssl.theory.finite_samples.joint_embedding import spiked_pca as spiked_pca
from linssl.theory.finite_samples.labelled_probe import labelled_probe_risk as labelled_probe_risk
from linssl.theory.finite_samples.reconstruction import (
    spiked_reconstruction as spiked_reconstruction,
)
