"""Grading a class: hand-ins are collected, trained side by side in fork servers, scored, and recorded one by one."""
