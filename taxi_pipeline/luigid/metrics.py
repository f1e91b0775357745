"""Metrics of tasks for Prometheus."""

from __future__ import annotations

from typing import Any

from luigi.contrib.prometheus_metric import PrometheusMetricsCollector


class TaskMetrics(PrometheusMetricsCollector):
    """Luigi's metrics, which take it that a task that failed or was disabled has run before."""

    def handle_task_failed(self, task: Any) -> None:
        """Count a failure, and how long the task ran if it did."""
        if task.time_running is not None:
            super().handle_task_failed(task)
            return
        self.task_failed_counter.labels(**self._generate_task_labels(task)).inc()

    def handle_task_disabled(self, task: Any, config: Any) -> None:
        """Count a task that was disabled, and how long it ran if it did."""
        if task.time_running is not None:
            super().handle_task_disabled(task, config)
            return
        self.task_disabled_counter.labels(**self._generate_task_labels(task)).inc()
