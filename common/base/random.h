#pragma once

// Identifiers and secrets from the operating system's generator. Callable from every thread.

#include <cstddef>
#include <cstdint>
#include <string>

namespace sluice {

// Fills with cryptographically strong bytes; ends the process when the system has none to give.
void RandomBytes(void* out, size_t size);

uint64_t Random64();

// A version 4 UUID (RFC 9562 section 5.4), lower case.
std::string RandomUuid();

// A version 7 UUID (RFC 9562 section 5.7): random too, behind the Unix time in milliseconds. For rows of a database,
// whose indexes then grow at their ends.
std::string TimeOrderedUuid(int64_t unix_ms);

// `digits` lower-case hexadecimal digits.
std::string RandomHex(size_t digits);

// `length` characters of [A-Za-z0-9], without bias.
std::string RandomAlphanumeric(size_t length);

}  // namespace sluice
