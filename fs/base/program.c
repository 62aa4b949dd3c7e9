#include "fs/base/program.h"

#include "fs/base/cleanup.h"
#include "fs/base/format.h"

#include <string.h>

bool program_exists(const char *name)
{
	const char *path = getenv("PATH");
	bool found = false;

	if (!path)
		path = "/bin:/usr/bin"; /* execvp(3), NOTES */
	for (const char *end; !found && *path; path = end + (*end == ':')) {
		AUTO_FREE char *file = NULL;

		end = strchrnul(path, ':');
		file = end > path ? format("%.*s/%s", (int)(end - path), path, name)
		                  : strdup(name); /* an empty part is this folder */
		found = file && access(file, X_OK) == 0;
	}
	return found;
}
