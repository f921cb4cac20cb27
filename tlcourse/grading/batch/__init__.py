"""Grading a class: hand-ins are collected, trained side by side behind fork servers, scored, and recorded one by one."""
