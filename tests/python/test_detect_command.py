"""`ssd-centerloss detect`: images, folders, videos; pictures, JSON and VOC files."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import detector_run
from detector_run import exit_code
from ssd_centerloss.detections import Detections
from ssd_centerloss.evaluation.results import coco_rows, write_voc
from ssd_centerloss.inference import Detector
from ssd_centerloss.media import Video, find_sources


def detect(*arguments: object) -> int:
    return exit_code("detect", *arguments)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """A folder with a JPEG, a PNG in a folder of its own, and a text."""
    random = np.random.default_rng(4)
    folder = tmp_path / "pictures"
    (folder / "more").mkdir(parents=True)
    cv2.imwrite(str(folder / "a.jpg"), detector_run.noise(random, 130, 100))
    cv2.imwrite(str(folder / "more" / "b.png"), detector_run.noise(random, 100, 150))
    (folder / "notes.txt").write_text("no image")
    return folder


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A video of five frames."""
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10, (128, 96))
    if not writer.isOpened():
        pytest.skip("this OpenCV writes no videos")
    random = np.random.default_rng(4)
    for _ in range(5):
        writer.write(detector_run.noise(random, 128, 96))
    writer.release()
    return path


def test_draws_into_copies(run: Path, pictures: Path, tmp_path: Path) -> None:
    before = (pictures / "a.jpg").read_bytes()
    assert detect(run, pictures, "--out", tmp_path / "out", "--threshold", 0.05) == 0
    drawn = cv2.imread(str(tmp_path / "out" / "more" / "b.png"))
    original = cv2.imread(str(pictures / "more" / "b.png"))
    assert drawn.shape == original.shape
    assert (drawn != original).any()
    assert (tmp_path / "out" / "a.jpg").is_file()
    assert (pictures / "a.jpg").read_bytes() == before


def test_sources_are_not_drawn_over(
    run: Path, pictures: Path, film: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in pictures.rglob("*.*")}
    movie = film.rename(tmp_path / "film.mp4").read_bytes()
    assert detect(run, pictures, "--out", pictures) == 1
    assert detect(run, tmp_path / "film.mp4", "--out", tmp_path) == 1
    assert capfd.readouterr().err.count("--out would overwrite the source") == 3
    assert {path: path.read_bytes() for path in pictures.rglob("*.*")} == before
    assert (tmp_path / "film.mp4").read_bytes() == movie


def test_nothing_is_drawn_below_the_threshold(run: Path, pictures: Path, tmp_path: Path) -> None:
    assert detect(run, pictures / "more", "--out", tmp_path / "out", "--threshold", 1) == 0
    drawn = cv2.imread(str(tmp_path / "out" / "b.png"))
    assert (drawn == cv2.imread(str(pictures / "more" / "b.png"))).all()


def test_json_and_voc_are_what_the_detector_finds(
    run: Path, pictures: Path, tmp_path: Path
) -> None:
    file, folder = tmp_path / "found.json", tmp_path / "voc"
    image = pictures / "a.jpg"
    assert detect(run, image, "--json", file, "--voc", folder, "--threshold", 0.1) == 0
    found = Detector.from_run(run).detect([cv2.imread(str(image))])[0].above(0.1)
    rows = json.loads(file.read_text())
    assert len(rows) == len(found) > 5
    for row, label, score, box in zip(rows, found.labels, found.scores, found.boxes, strict=True):
        assert row["image_id"] == "a"
        assert row["category_id"] == label
        assert row["score"] == pytest.approx(score, abs=1e-6)
        x, y, width, height = row["bbox"]
        assert [x, y, x + width, y + height] == pytest.approx(box, abs=0.011)
    lines = [line for file in sorted(folder.iterdir()) for line in file.read_text().splitlines()]
    assert len(lines) == len(found)
    assert sorted(path.name for path in folder.iterdir()) == [
        f"comp4_det_test_{name}.txt" for name in detector_run.CLASSES
    ]
    assert not (run / "detections").exists()


def test_a_video(run: Path, film: Path, tmp_path: Path) -> None:
    file = tmp_path / "found.json"
    arguments = ("--out", tmp_path / "out", "--json", file, "--threshold", 0.05)
    assert detect(run, film, *arguments) == 0
    written = Video(tmp_path / "out" / "film.mp4")
    assert written.rate == pytest.approx(10)
    assert [frame.shape for frame in written.frames()] == [(96, 128, 3)] * 5
    names = {row["image_id"] for row in json.loads(file.read_text())}
    assert names == {f"film_{i:06d}" for i in range(5)}
    assert detect(run, film, *arguments, "--frames", 2) == 0
    assert len(list(Video(tmp_path / "out" / "film.mp4").frames())) == 2


def test_what_cannot_be_read_is_named_and_the_rest_goes_on(
    run: Path, pictures: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (pictures / "aa.jpg").write_bytes(b"broken")
    (pictures / "film.mp4").write_bytes(b"broken")
    out = tmp_path / "out"
    (tmp_path / "empty").mkdir()
    places = (tmp_path / "missing.jpg", tmp_path / "empty", pictures, pictures / "notes.txt")
    assert detect(run, *places, "--out", out, "--threshold", 0.05) == 1
    told = capfd.readouterr()
    assert "missing.jpg: no such file or folder" in told.err
    assert "empty: no images or videos in this folder" in told.err
    assert "aa.jpg: 6 bytes that are not an image" in told.err
    assert "notes.txt: 8 bytes that are not an image" in told.err
    assert "film.mp4: cannot be opened as a video" in told.err
    assert "5 failed, named above" in told.err
    assert "2 images," in told.out
    assert sorted(path.name for path in out.rglob("*.*")) == ["a.jpg", "b.png"]


def test_refuses(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert detect(run) == 1
    assert "nothing to look at: give images" in capfd.readouterr().err
    assert detect(run, "--camera", 97) == 1
    assert "camera 97: cannot be opened as a video" in capfd.readouterr().err
    assert detect(run, "x.jpg", "--threshold", 1.5) == 2


def test_windows_that_are_not_there(
    run: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def no_window(name: str) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", no_window)
    assert detect(run, "x.jpg", "--show") == 1
    assert "--show: this OpenCV has no windows" in capfd.readouterr().err


def test_a_key_ends_the_show(run: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[np.ndarray] = []
    monkeypatch.setattr(cv2, "namedWindow", lambda name: None)
    monkeypatch.setattr(cv2, "imshow", lambda name, picture: shown.append(picture))
    monkeypatch.setattr(cv2, "waitKey", lambda wait: ord("q"))
    assert detect(run, pictures, "--show") == 0
    assert len(shown) == 1
    assert not (run / "detections").exists()


def test_sources_have_names_of_their_own(pictures: Path) -> None:
    found, problems = find_sources([pictures, pictures / "a.jpg", pictures / "more"])
    assert [source.name for source in found] == ["a", "more/b", "a_2", "b"]
    assert problems == []


def test_rows_of_coco_by_hand() -> None:
    found = Detections(
        np.array([2, 1]), np.array([0.75, 0.5]), np.array([[1.0, 2, 4, 8], [0, 0, 1, 1]])
    )
    rows = coco_rows({"000123": found, "7": Detections.none()}, ["background", "cat", "dog"])
    assert rows[0] == {
        "image_id": 123,
        "category_id": 2,
        "category_name": "dog",
        "bbox": [1, 2, 3, 6],
        "score": 0.75,
    }
    assert [row["image_id"] for row in coco_rows({"a1": found}, "xyz")] == ["a1", "a1"]


def test_files_of_voc_by_hand(tmp_path: Path) -> None:
    found = Detections(np.array([2]), np.array([0.75]), np.array([[1.0, 2.5, 4, 8]]))
    write_voc(tmp_path, {"b": found, "a": Detections.none()}, ["background", "cat", "dog"])
    assert (tmp_path / "comp4_det_test_cat.txt").read_text() == ""
    text = (tmp_path / "comp4_det_test_dog.txt").read_text()
    assert text == "b 0.750000 1.00 2.50 4.00 8.00\n"


def test_ctrl_c_ends_a_camera_and_keeps_what_was_seen(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    class Camera:
        def __init__(self, number: int) -> None:
            self.random = np.random.default_rng(number)
            self.seen = 0

        def isOpened(self) -> bool:  # noqa: N802 (OpenCV's name)
            return True

        def get(self, what: int) -> float:
            return -1  # a camera does not know

        def read(self) -> tuple[bool, np.ndarray]:
            if self.seen == 3:
                raise KeyboardInterrupt
            self.seen += 1
            return True, detector_run.noise(self.random, 128, 96)

        def release(self) -> None:
            pass

    file = tmp_path / "found.json"
    with monkeypatch.context() as patch:
        patch.setattr(cv2, "VideoCapture", Camera)
        arguments = ("--out", tmp_path / "out", "--json", file, "--threshold", 0.05)
        assert detect(run, "--camera", 2, *arguments) == 0
    names = {row["image_id"] for row in json.loads(file.read_text())}
    assert names == {f"camera2_{i:06d}" for i in range(3)}
    assert len(list(Video(tmp_path / "out" / "camera2.mp4").frames())) == 3
    assert "3 images," in capfd.readouterr().out
