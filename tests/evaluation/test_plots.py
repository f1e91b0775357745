"""The picture of an evaluation."""

import struct

from taxi_pipeline.evaluation.plots import plot


def test_the_plot_is_a_png_image(january, predicted, result, tmp_path):
    path = tmp_path / "plot.png"
    plot(result, january["minutes"].to_numpy(), predicted, path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    assert struct.unpack(">II", content[16:24]) == (1210, 462)
