"""The gradebook: what was graded, regraded and overridden, of every batch; appended, never changed."""
