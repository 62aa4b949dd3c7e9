#include "fs/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static bool use_syslog;
static bool debug;

void log_line(int priority, const char *format, ...)
{
	static const char *const word[] = {[LOG_ERR] = "error: ",
		[LOG_WARNING] = "warning: ",
		[LOG_INFO] = "",
		[LOG_DEBUG] = ""};
	int saved = errno;
	char line[1024];
	va_list arguments;

	if (priority == LOG_DEBUG && !debug)
		return;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments); /* a cut line is still a line */
	va_end(arguments);
	if (use_syslog)
		syslog(priority, "%s", line);
	else
		(void)fprintf(
			stderr, "kinofs: %s%s\n", word[priority], line); /* nowhere to say it */
	errno = saved;
}

void log_to_syslog(void)
{
	openlog("kinofs", LOG_PID, LOG_USER);
	use_syslog = true;
}

void log_set_debug(bool enabled)
{
	debug = enabled;
}
