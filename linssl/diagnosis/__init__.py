"""Diagnosis of a user's own data: which paradigm keeps what matters, and how sure that is."""

from linssl.diagnosis.front import diagnose as diagnose
from linssl.diagnosis.report import Diagnosis as Diagnosis
from linssl.diagnosis.report import Reading as Reading
