#include "fs/base/metric.h"

#include <stdarg.h>

void metric_describe(FILE *out, const char *name, const char *type, const char *help)
{
	(void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_label(FILE *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\n')
			(void)fputs("\\n", out);
		else if (*value == '"' || *value == '\\')
			(void)fprintf(out, "\\%c", *value);
		else
			(void)fputc(*value, out);
	}
}

void metric_value(FILE *out, const char *name, double value, ...)
{
	const char *label, *before = "{";
	va_list labels;

	(void)fputs(name, out);
	va_start(labels, value);
	while ((label = va_arg(labels, const char *))) {
		(void)fprintf(out, "%s%s=\"", before, label);
		put_label(out, va_arg(labels, const char *));
		(void)fputc('"', out);
		before = ",";
	}
	va_end(labels);
	(void)fprintf(out, "%s %.15g\n", *before == ',' ? "}" : "", value);
}
