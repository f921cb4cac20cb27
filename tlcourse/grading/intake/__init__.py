"""Reading what was handed in, which is hostile until shown otherwise."""
