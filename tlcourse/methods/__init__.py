"""The lecture's methods, one idea a file, in plain PyTorch: `from tlcourse.methods import lora`."""
