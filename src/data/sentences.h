/// Reads sentences without pictures, for language pretraining of the decoder.
#pragma once

#include <filesystem>
#include <functional>
#include <string_view>

namespace glimpse::train {

/// Calls `take` with every line of a text file, in order, without its end; lines of nothing but white space are left
/// out. A file that begins as gzip does is decompressed as it is read (RFC 1952, several members too), whatever its
/// name. Throws Error naming the file: kMissing, kPermission, kIo as files do; kIo where compressed data is damaged or
/// breaks off; kTooLarge, with the line's number, for a line of more than 64 KiB.
void read_sentences(const std::filesystem::path& path, const std::function<void(std::string_view)>& take);

}  // namespace glimpse::train
