from .run import run_bench as run_bench

__all__ = [
    "run_bench",
]
