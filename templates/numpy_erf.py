# erf(z)/z for |z| < 0.5, as a polynomial in z²: its Taylor series, cut where doubles end.
# fmt: off
_ERF = (
    9.422759064650411e-11, -1.2290555301717928e-09, 1.4807192815879218e-08, -1.6365844691234924e-07,
    1.6462114365889248e-06, -1.492565035840625e-05, 0.00012055332981789664, -0.0008548327023450853,
    0.005223977625442188, -0.026866170645131252, 0.11283791670955126, -0.37612638903183754, 1.1283791670955126,
)
# fmt: on


def _erf(z: np.ndarray) -> np.ndarray:
    """The error function, to about 4 units in the last place."""
    square, series = np.minimum(z * z, 0.25), 0 * z
    for coefficient in _ERF:
        series = series * square + coefficient
    result: np.ndarray = np.where(np.abs(z) < 0.5, z * series, np.sign(z) * (1 - _erfc(np.abs(z))))
    return result
