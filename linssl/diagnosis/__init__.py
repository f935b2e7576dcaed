"""Diagnosis of a user's own data: which paradigm keeps what matters, and how sure that is."""

from linssl.diagnosis.diagnose import diagnose as diagnose
from linssl.diagnosis.facts import Reading as Reading
from linssl.diagnosis.report import Diagnosis as Diagnosis
