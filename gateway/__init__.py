"""Facegate: a cloud-access enforcement gateway in front of hosted face-recognition APIs.

Start reading at `gateway.core.pipeline.decide` (what is decided) and `gateway.enforce.Enforcer`
(how a decision becomes a durable record before anything goes upstream).
"""

__version__ = "0.1.0"
