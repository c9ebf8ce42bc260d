import pytest

from ballad.digests import is_record, record


def test_what_is_recorded_has_the_form_of_a_record(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("7")
    recorded = record(tmp_path)
    assert recorded["folder/file"]["bytes"] == 1 and is_record(recorded) and is_record({})


@pytest.mark.parametrize(
    "value", [[], None, {"file": 7}, {"file": {"bytes": "7", "sha256": "0a"}}, {"file": {"bytes": 7}}]
)
def test_a_damaged_manifest_holds_no_record(value):
    assert not is_record(value)
