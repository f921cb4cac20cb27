"""The lecture's methods, one question a file, in plain PyTorch: `from tlcourse.methods import lora`."""
