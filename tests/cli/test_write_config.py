from taxi_pipeline import config
from taxi_pipeline.cli import main as command


def test_write_config_writes_the_file(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert command.main(["write-config"]) == 0
    assert (tmp_path / "luigi.cfg").read_text() == config.as_cfg()
    assert "wrote luigi.cfg" in capsys.readouterr().out


def test_write_config_keeps_a_file_that_is_there_unless_forced(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "luigi.cfg"
    file.write_text("[core]\n")
    assert command.main(["write-config"]) == 1
    assert file.read_text() == "[core]\n"
    assert "--force" in capsys.readouterr().err
    assert command.main(["write-config", "--force"]) == 0
    assert file.read_text() == config.as_cfg()
