#include "fs/base/log.h"

#include "fs/base/quote.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

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
	char *shown;
	va_list arguments;

	if (priority == LOG_DEBUG && !debug)
		return;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments); /* a cut line is still a line */
	va_end(arguments);
	shown = quote_line(line); /* names are in it */
	if (use_syslog)
		syslog(priority, "%s", shown ? shown : format);
	else /* nowhere to say that it fails */
		(void)fprintf(stderr, "kinofs: %s%s\n", word[priority], shown ? shown : format);
	free(shown);
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
