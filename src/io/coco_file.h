/// Writes COCO results JSON as results come: to a temporary file, renamed when complete. Failed pictures are left out.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include "pipeline/picture_sink.h"

namespace glimpse::io {

/// The id that a picture has in COCO results: of a file name as COCO has them, COCO_val2014_000000391895.jpg or
/// 000000391895.jpg, the number in its last twelve digits, without the zeros before it; else the name without its
/// extension ("391895" is then a number too, "photo12" is not).
std::string coco_id(const std::filesystem::path& picture);

class CocoFile : public DeliverySink {
 public:
  /// Throws Error: kUsage where the file exists already, unless it may be replaced; kPermission, kIo.
  CocoFile(std::filesystem::path path, bool replace);
  ~CocoFile() override;
  CocoFile(const CocoFile&) = delete;
  CocoFile& operator=(const CocoFile&) = delete;

  void add(const std::string& picture, const std::string& caption);
  /// Renames the temporary file to its final name. Throws Error(kPermission, kIo).
  void finish() override;

 protected:
  void deliver(BatchResult& result) override;

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;
  std::ofstream stream_;
  bool empty_ = true;
};

}  // namespace glimpse::io
