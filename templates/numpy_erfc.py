# (1 + 2z) e^(z²) erfc(z) for z >= 0, as a polynomial in (z - 3.75)/(z + 3.75): its Chebyshev series, cut at degree 23.
# fmt: off
_ERFC = (
    3.1114333809799254e-10, -2.623107347133476e-09, -3.744210080962018e-09, 3.197926671666804e-08,
    2.3263508708859124e-08, -2.4857126248016745e-07, -5.7218230603224086e-08, 1.7419821586224816e-06,
    -9.73559896736775e-07, -1.1438048033346894e-05, 2.238423915508223e-05, 5.164652974177416e-05,
    -0.0002901540805408417, 0.000293714378044958, 0.0017556258528952954, -0.009746579683265262,
    0.028362277418956406, -0.05869339857664934, 0.09230432116037748, -0.10880393014244462, 0.0822767384901452,
    0.0035854154854790257, -0.14024059858554697, 1.2375126308378275,
)
# fmt: on


def _erfc(z: np.ndarray) -> np.ndarray:
    """1 - erf(z), to about 4 units in the last place."""
    x = np.abs(z)
    ratio, series = (x - 3.75) / (x + 3.75), 0 * x
    for coefficient in _ERFC:
        series = series * ratio + coefficient
    near = x.astype(np.float32).astype(x.dtype)  # its square is exact, so e^(-x²) keeps its digits
    value = np.exp(-near * near) * np.exp((near - x) * (near + x)) * series / (1 + 2 * x)
    result: np.ndarray = np.where(z < 0, 2 - value, value)
    return result
