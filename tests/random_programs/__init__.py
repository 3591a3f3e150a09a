"""Random programs replayed on PyTorch: values, gradients and errors must agree.

`python -m tests.random_programs --programs 20000 --seed 0` is the long run, `tests/test_random_programs.py` a
short one.
"""
