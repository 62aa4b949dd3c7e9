#include "fs/base/json.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

double json_number(const cJSON *object, const char *key)
{
	double number = cJSON_GetNumberValue(json_get(object, key));

	return isfinite(number) ? number : NAN;
}

int64_t json_count(const cJSON *object, const char *key, int64_t max)
{
	const char *digits = json_text(object, key);
	double number = json_number(object, key);
	char *end = NULL;

	if (digits && isdigit((unsigned char)digits[0])) {
		number = (double)strtoll(digits, &end, 10);
		if (*end)
			return -1;
	}
	return number >= 0 && number <= (double)max && number == floor(number) ? (int64_t)number
	                                                                       : -1;
}
