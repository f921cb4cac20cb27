"""Fixtures for running text in a sandbox, below grading."""

from runs import fork_server_sandbox, job_for, leftovers, tells, told
from scripted import job, ran

__all__ = ["fork_server_sandbox", "job", "job_for", "leftovers", "ran", "tells", "told"]
