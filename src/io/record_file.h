/// The file of a batch's records. It is written a record at a time; if the process dies, only the last line can be
/// truncated, and resuming repairs it.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace glimpse::io {

class RecordFile {
 public:
  enum class Start {
    kNew,      ///< the file must not exist
    kReplace,  ///< what it holds is dropped
    kContinue  ///< its lines are kept, but for a last one that is cut short; without the file as kNew
  };

  /// Called for each line that is kept, without its '\n', with its number from 1 on. False: it is no record.
  using EarlierLine = std::function<bool(std::string_view line, std::size_t number)>;

  /// Throws Error: kUsage for a file that exists already, that another process is writing, or that has a line which is
  /// no record other than at its end; kMissing, kPermission, kIo.
  RecordFile(std::filesystem::path path, Start start, const EarlierLine& earlier = nullptr);
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  /// Once this returns the record survives the end of the process, however it ends. Throws Error(kIo), also for a full
  /// disk; the file is then as it was before.
  void append(std::string_view record);
  /// Flushes to disk: from here on the file survives the machine, too. A new file that was neither finished nor written
  /// to goes away with the object.
  void finish();

  bool empty() const { return size_ == 0; }

 private:
  void keep_lines(const EarlierLine& earlier);
  void cut();
  [[noreturn]] void refuse(std::size_t line) const;
  [[noreturn]] void fail(const char* what, int error) const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  std::size_t size_ = 0;  ///< of the whole lines
  bool keep_;
};

}  // namespace glimpse::io
