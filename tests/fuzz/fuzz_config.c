/* fuzz_config.c - any bytes as config.json: what is taken is a configuration one can work with. */
#include "fs/config/config.h"

#include "tests/fuzz/fuzz_folder.h"

#include "fs/net/url.h"

#include <math.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void log_line(int priority, const char *format, ...);
void log_line(int priority, const char *format, ...)
{
	(void)priority, (void)format;
}

void log_to_syslog(void);
void log_to_syslog(void)
{
}

void log_set_debug(bool enabled);
void log_set_debug(bool enabled)
{
	(void)enabled;
}

static void check(const struct config *config)
{
	demand(config->settle_ms >= 0 && config->settle_alone_ms >= 0);
	demand(config->caps.jobs_per_day >= 0);
	demand(config->caps.credits_per_day >= 0 && isfinite(config->caps.credits_per_day));
	demand(config->caps.credits_per_month >= 0 && isfinite(config->caps.credits_per_month));
	demand(config->caps.credits_per_job >= 0 && isfinite(config->caps.credits_per_job));
	for (size_t i = 0; i < PROVIDERS; i++) {
		const struct account *account = &config->account[i];

		demand(account->base_url && account->creates >= 0 && account->per_ms > 0);
		for (const char *key = account->key; key && *key; key++)
			demand(*key > ' ' && *key <= '~');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[96];
	struct config config;

	if (memmem(data, size, "key_file", 8) && memmem(data, size, "/dev/", 5))
		return 0; /* waits for somebody to type it */
	fuzz_put("config.json", data, size);
	(void)snprintf(path, sizeof(path), "%s/config.json", fuzz_root);
	if (config_read(path, &config) == 0)
		check(&config);
	config_clear(&config);
	return 0;
}
