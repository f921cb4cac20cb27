"""Grading a class: hand-ins are collected, trained side by side behind warm walls, scored, and recorded one by one."""
