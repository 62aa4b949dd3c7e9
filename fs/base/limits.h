/*
 * limits.h - every limit on what a user or a server controls, in one place.
 * Limits of one model (prompt length, picture size) stand in its model file.
 */
#ifndef KINOFS_BASE_LIMITS_H
#define KINOFS_BASE_LIMITS_H

#define LIMIT_SPEC_BYTES    (1024 * 1024)       /* a JSON spec, a prompt file, defaults.json */
#define LIMIT_PICTURE_BYTES (30 * 1024 * 1024)  /* a local picture, whatever its model says */
#define LIMIT_FILM_BYTES    (512 * 1024 * 1024) /* a local film, likewise */
#define LIMIT_SOUND_BYTES   (100 * 1024 * 1024) /* a local sound, likewise */
#define LIMIT_MEDIA         64                  /* local files that one request names */
#define LIMIT_JSON_DEPTH    32                  /* objects and lists inside each other */
#define LIMIT_JSON_KEYS     100                 /* fields of one object */
#define LIMIT_MODEL_BYTES   (256 * 1024)        /* a model file */
#define LIMIT_CONFIG_BYTES  (64 * 1024)         /* config.json and key files */
#define LIMIT_TAKES         100                 /* of one order */
#define LIMIT_PROBLEMS      64                  /* problems reported of one spec */
#define LIMIT_MESSAGE_CHARS 500                 /* a provider's words, as shown to the user */
#define LIMIT_REPLY_BYTES   (1024 * 1024)       /* an API response */
#define LIMIT_VIDEO_BYTES   (4LL << 30)         /* a result */
#define LIMIT_RESULT_URLS   256                 /* results of one task */
#define LIMIT_URL_BYTES     8192
#define LIMIT_PATH_BYTES    4096  /* a path written in a spec */
#define LIMIT_COMMAND_BYTES 32768 /* one line written to .kinofs/ctl: a quoted path */
#define LIMIT_HOOKS         1000  /* ends of jobs that wait until the hook is run for them */
#define LIMIT_BATCH_LINES   1000  /* specs in one .jsonl */
#define LIMIT_BATCH_BYTES   (16 * 1024 * 1024)

#endif
