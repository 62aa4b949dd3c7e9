/*
 * catalogue.h - kie.ai's catalogue: GET /api/v1/models and what is below (fs/net/API.md 11.1).
 *
 * Without --catalogue FILE it has the models that are served. FILE is {"models": [ENTRY, …]}: an
 * ENTRY has "model" and, each of them if it likes, "title", "kind" (video, image, audio, other),
 * "description", "taskType" (a list), "price" (prose) and "input", a JSON Schema that is served
 * inside an OpenAPI document; or "openapi", a document to serve as it is. Without either, the
 * document is null. All under sim.lock.
 */
#ifndef KINOFS_CONTRIB_SIMULATOR_CATALOGUE_H
#define KINOFS_CONTRIB_SIMULATOR_CATALOGUE_H

#include "contrib/simulator/request.h"

/* A malloc'ed sentence when the file is of no use, else NULL. */
char *catalogue_load(const char *path);
void catalogue_free(void);

void catalogue_list(struct request *request);
void catalogue_one(struct request *request);
/* The model a path asks for, NULL: none of the catalogue. */
const char *catalogue_model(const char *path);

/* openapi.c: the parts of an entry that the file left out. The caller owns what they return. */
cJSON *openapi_document(const cJSON *entry);
/* The entry of a model file. */
cJSON *openapi_entry(const cJSON *schema, const char *name);
/* ["Image to Video"] */
cJSON *openapi_task_types(const cJSON *entry);

#endif
