/*
 * log.h - messages for whoever runs kinofs: stderr in the foreground, syslog
 * once in the background. Any thread may call. Never log a key, a request
 * header, or a provider's text that has not been through text_printable().
 */
#ifndef KINOFS_BASE_LOG_H
#define KINOFS_BASE_LOG_H

#include <stdbool.h>
#include <syslog.h>

/* priority as in syslog(3): LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG. Keeps errno. */
void log_line(int priority, const char *format, ...) __attribute__((format(printf, 2, 3)));

void log_to_syslog(void);         /* call once, before threads */
void log_set_debug(bool enabled); /* LOG_DEBUG is dropped unless enabled */

#define log_error(...) log_line(LOG_ERR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARNING, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

#endif
