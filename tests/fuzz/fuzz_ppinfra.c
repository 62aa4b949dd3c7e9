/*
 * fuzz_ppinfra.c - every reader of the provider's answers, on any bytes under any
 * status. The first byte picks the status and how the exchange went.
 */
#include "fs/net/provider.h"
#include "tests/fuzz/fuzz_provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_provider(&provider_ppinfra, data, size);
	return 0;
}
