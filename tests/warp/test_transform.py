import pickle

import numpy as np
import pytest

from voxkern import Transform

SPOTS = np.random.default_rng(0).uniform(-50, 50, (20, 3))


def some(seed=0, n=3):
    rng = np.random.default_rng(seed)
    return Transform(np.eye(n) + 0.3 * rng.standard_normal((n, n)), rng.uniform(-9, 9, n))


def test_a_translation_moves_points():
    np.testing.assert_array_equal(Transform(np.eye(3), (1, 2, 3)).apply((0, 0, 0)), [1, 2, 3])


def test_the_center_stays_where_it_is():
    turn = Transform([[0, -1], [1, 0]], center=(3, 4))
    np.testing.assert_array_equal(turn.apply([(3, 4), (4, 4)]), [(3, 4), (3, 5)])


def test_composing_does_the_second_first():
    a, b = some(1), some(2)
    np.testing.assert_allclose((a @ b).apply(SPOTS), a.apply(b.apply(SPOTS)))


def test_there_and_back_is_the_identity():
    t = some()
    np.testing.assert_allclose(t.inverse().apply(t.apply(SPOTS)), SPOTS, atol=1e-11)
    assert Transform.identity().inverse() == Transform.identity()


def test_every_form_of_matrix_means_the_same():
    t = some()
    assert Transform(t.matrix) == Transform(t.matrix[:3]) == Transform(t.linear, t.translation) == t


@pytest.mark.parametrize("n", [2, 3])
def test_a_file_brings_it_back(tmp_path, n):
    t = some(4, n)
    t.save(tmp_path / "t.tfm")
    assert Transform.load(tmp_path / "t.tfm") == t


def test_it_can_be_pickled_and_not_changed():
    t = some()
    assert pickle.loads(pickle.dumps(t)) == t
    with pytest.raises(AttributeError, match="does not change"):
        t.matrix = np.eye(4)
    with pytest.raises(ValueError, match="read-only"):
        t.matrix[0, 0] = 2


def test_simpleitk_reads_what_is_written(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    t = some()
    t.save(tmp_path / "t.tfm")
    theirs = sitk.ReadTransform(str(tmp_path / "t.tfm"))
    for p in SPOTS:
        np.testing.assert_allclose(theirs.TransformPoint(p[::-1])[::-1], t.apply(p), rtol=1e-12)


@pytest.mark.parametrize(
    "name",
    [
        "Euler3DTransform", "VersorRigid3DTransform", "Similarity3DTransform", "AffineTransform",
        "TranslationTransform",
    ],
)  # fmt: skip
def test_simpleitks_transforms_are_read(tmp_path, name):
    sitk = pytest.importorskip("SimpleITK")
    many = name in ("AffineTransform", "TranslationTransform")
    t = getattr(sitk, name)(*([3] if many else []))
    values = np.array(t.GetParameters())
    t.SetParameters((values + 0.1 * np.arange(1, len(values) + 1) / 2).tolist())
    if hasattr(t, "SetCenter"):
        t.SetCenter((5, 6, 7))
    sitk.WriteTransform(t, str(tmp_path / "t.tfm"))
    ours = Transform.load(tmp_path / "t.tfm")
    for p in SPOTS:
        np.testing.assert_allclose(ours.apply(p), t.TransformPoint(p[::-1])[::-1], atol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.eye(5),), r"matrix must be 2x2, 3x3, 2x3, 3x4 or 4x4; got shape \(5, 5\)"),
        ((np.full((3, 3), np.nan),), "matrix must be finite"),
        ((np.eye(3), (1, 2)), "translation must be 3 finite numbers"),
        ((np.eye(4), (1, 2, 3)), "go with a square matrix"),
        ((np.ones((4, 4)),), "matrix must end in the row"),
    ],
)
def test_refusals_say_what_is_wanted(arguments, message):
    with pytest.raises(ValueError, match=message):
        Transform(*arguments)


def test_what_is_not_linear_is_refused(tmp_path):
    path = tmp_path / "t.tfm"
    path.write_text(
        "#Insight Transform File V1.0\n#Transform 0\nTransform: BSplineTransform_double_3_3\n"
        "Parameters: 0\nFixedParameters: 0\n"
    )
    with pytest.raises(ValueError, match="holds a BSplineTransform"):
        Transform.load(path)
    path.write_text("hello")
    with pytest.raises(ValueError, match="not an ITK transform file"):
        Transform.load(path)
    with pytest.raises(ValueError, match="no inverse"):
        Transform(np.zeros((3, 3))).inverse()
