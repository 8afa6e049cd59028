"""Every CUDA plan once, on small volumes: what compute-sanitizer watches."""

import sys

import numpy as np

from voxkern import _backends, _gpu
from voxkern._kernel import kernels


def main():
    reason = _backends.Cuda.why_not() or _backends.Jit.why_not()
    if reason:
        print(f"nothing to watch: {reason}")
        return 3
    import cupy

    count = 0
    for kernel in kernels().values():
        plan = kernel.overrides.get("cuda")
        for dtype in kernel.dtypes if plan else ():
            args = kernel.sample(np.random.default_rng(0), (5, 9, 35), dtype)
            words = [word for name, word in kernel.rule.__annotations__.items() if name != "return"]
            there = [
                cupy.asarray(a) if word in ("In", "Out", "ListOut") else a
                for a, word in zip(args, words, strict=True)
            ]
            plan(_gpu.compiled(there[0]), *there)
            cupy.cuda.Device().synchronize()
            count += 1
    print(f"{count} plans ran")
    return 0


if __name__ == "__main__":
    sys.exit(main())
