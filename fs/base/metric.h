/*
 * metric.h - figures in Prometheus' text format
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Pure, any thread; what cannot be
 * written is the stream's to tell.
 */
#ifndef KINOFS_BASE_METRIC_H
#define KINOFS_BASE_METRIC_H

#include <stdio.h>

/* What a metric is; its values come next. type: "counter" (it only grows; its name ends with
 * _total) or "gauge". help: one line, without a backslash. */
void metric_describe(FILE *out, const char *name, const char *type, const char *help);
/* One value, with labels: name, value, name, value …, then NULL. */
void metric_value(FILE *out, const char *name, double value, ...) __attribute__((sentinel));

#endif
