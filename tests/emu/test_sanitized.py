"""All plans and kernels once more, under AddressSanitizer and ThreadSanitizer."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.sanitize
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("variant", ["address", "thread"])
def test_no_sanitizer_has_a_word_to_say(in_sanitized, variant):
    files = [HERE / "test_launch.py", HERE / "test_parity_emu.py"]
    done = in_sanitized(
        variant, "-m", "pytest", "-q", "-x", "--capture=sys", "-p", "no:cacheprovider", *files
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
