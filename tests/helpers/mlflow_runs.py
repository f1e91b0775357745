"""What MLflow holds of searches and candidates."""


def runs(client):
    """The experiment's runs: of searches, of trials by number, and of candidates."""
    experiment = client.get_experiment_by_name("nyc-taxi-duration")
    found = client.search_runs([experiment.experiment_id])
    trials = [run for run in found if "trial" in run.data.tags]
    return (
        [run for run in found if "search_key" in run.data.tags],
        sorted(trials, key=lambda run: int(run.data.tags["trial"])),
        [run for run in found if "candidate_key" in run.data.tags],
    )


def assert_copied(client, expected):
    """Each trial is one nested run, whole, of the only search."""
    (search,), trials, _ = runs(client)
    assert [run.data.tags["trial"] for run in trials] == [str(trial.number) for trial in expected]
    for run, trial in zip(trials, expected, strict=True):
        assert run.data.tags["mlflow.parentRunId"] == search.info.run_id
        assert run.data.tags["status"] == trial.status
        assert run.info.status == ("FAILED" if trial.status == "failed" else "FINISHED")
        known = {"rmse": trial.rmse, "rounds": trial.rounds, "seconds": trial.seconds}
        assert run.data.metrics == {
            name: value for name, value in known.items() if value is not None
        }
        assert run.data.params == {name: str(value) for name, value in trial.parameters.items()}
    return search
