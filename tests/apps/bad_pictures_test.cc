// Pictures that cannot be captioned: one clear line each, exit code 4, the others done.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string big_endian(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}

std::uint32_t crc32(const std::string& bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

/// A PNG whose header promises `side` × `side` pixels and that ends soon after.
std::string png_header_bomb(std::uint32_t side) {
  const std::string header = "IHDR" + big_endian(side) + big_endian(side) + std::string("\x08\x02\x00\x00\x00", 5);
  const std::string data = "IDAT" + std::string(16, '\0');
  return "\x89PNG\r\n\x1a\n" + big_endian(13) + header + big_endian(crc32(header)) + big_endian(16) + data +
         big_endian(crc32(data));
}

struct BadPicture {
  const char* name;
  std::string bytes;
  const char* code;     ///< in the JSON record
  const char* message;  ///< part of what is said, besides the name
};

const std::vector<BadPicture>& bad_pictures() {
  static const std::vector<BadPicture> kPictures = {
      {"empty.jpg", "", "decode", "empty"},
      {"page.jpg", "<!DOCTYPE html><html><body>404 Not Found</body></html>", "decode", "<!DOCTYPE"},
      {"text.png", "this is only some text\n", "decode", "this"},
      {"stub.jpg", "\xff\xd8\xff\xe0", "decode", ""},
      {"bomb.ppm", "P6\n60000 60000\n255\nabcdefgh", "too-large", "60000"},
      {"bomb.png", png_header_bomb(60000), "too-large", "60000"},
  };
  return kPictures;
}

class BadPicturesTest : public AppTest {
 protected:
  BadPicturesTest() {
    add_picture("good.ppm", 1);
    add_picture("fine.ppm", 2);
  }
};

TEST_F(BadPicturesTest, EachIsOneLineAndTheOthersAreDone) {
  for (const BadPicture& bad : bad_pictures()) {
    SCOPED_TRACE(bad.name);
    write_file(path(bad.name), bad.bytes);
    const ProcessResult result = glimpse({"caption", "good.ppm", bad.name, "fine.ppm"});
    EXPECT_EQ(result.code, 4);
    EXPECT_THAT(first_columns(result.output), ElementsAre("good.ppm", "fine.ppm"));
    const std::vector<std::string_view> lines = split_lines(result.errors);
    ASSERT_EQ(lines.size(), 2U) << result.errors;
    EXPECT_THAT(std::string(lines[0]), StartsWith("glimpse: error: "));
    EXPECT_THAT(std::string(lines[0]), HasSubstr(quote(bad.name)));
    EXPECT_THAT(std::string(lines[0]), HasSubstr(bad.message));
    EXPECT_EQ(lines[1], "glimpse: 1 of 3 pictures failed, the rest is complete");
  }
}

TEST_F(BadPicturesTest, EachIsARecordInJson) {
  for (const BadPicture& bad : bad_pictures()) {
    SCOPED_TRACE(bad.name);
    write_file(path(bad.name), bad.bytes);
    const ProcessResult result = glimpse({"caption", "--format", "json", "good.ppm", bad.name, "fine.ppm"});
    EXPECT_EQ(result.code, 4);
    const std::vector<std::string_view> lines = split_lines(result.output);
    ASSERT_EQ(lines.size(), 3U) << result.output;
    const auto record = nlohmann::json::parse(lines[1]);
    EXPECT_EQ(record.size(), 2U);
    EXPECT_EQ(record["path"], bad.name);
    EXPECT_EQ(record["error"]["code"], bad.code);
    EXPECT_THAT(record["error"]["message"].get<std::string>(), HasSubstr(bad.message));
    EXPECT_EQ(nlohmann::json::parse(lines[2])["path"], "fine.ppm");
  }
}

TEST_F(BadPicturesTest, WhatIsNoFileIsSaidToBeNone) {
  std::filesystem::create_directories(path("folder.jpg/inner"));
  ASSERT_EQ(mkfifo(path("pipe.jpg").c_str(), 0600), 0);
  const ProcessResult result = glimpse({"caption", "--format", "json", "gone.jpg", "folder.jpg", "pipe.jpg",
                                        "good.ppm/inside.jpg", "/dev/zero", "", "good.ppm"});
  EXPECT_EQ(result.code, 4);
  const std::array<const char*, 6> codes = {"missing", "missing", "io", "missing", "io", "missing"};
  const std::vector<std::string_view> lines = split_lines(result.output);
  ASSERT_EQ(lines.size(), 7U) << result.output;
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const auto record = nlohmann::json::parse(lines[i]);
    ASSERT_TRUE(record.contains("error")) << lines[i];
    EXPECT_EQ(record["error"]["code"], codes[i]) << lines[i];
  }
}

TEST_F(BadPicturesTest, UnreadableFilesAreSaidToBeSo) {
  write_file(path("secret.ppm"), stripes(8, 8));
  ASSERT_EQ(chmod(path("secret.ppm").c_str(), 0), 0);
  ProcessOptions all = options({"caption", "--format", "json", "secret.ppm", "good.ppm"});
  if (geteuid() == 0) {  // root may read everything, so somebody else has to try
    ASSERT_EQ(chmod(path("").c_str(), 0755), 0);
    all.wrapper = {"setpriv", "--reuid=65534", "--clear-groups"};
  }
  const ProcessResult result = run_glimpse(all);
  if (result.code > 100) GTEST_SKIP() << "nobody may not run the binary: " << result.errors;
  EXPECT_EQ(result.code, 4) << result.errors;
  EXPECT_EQ(nlohmann::json::parse(split_lines(result.output).at(0))["error"]["code"], "permission");
}

TEST_F(BadPicturesTest, OddShapesAreCaptioned) {
  write_file(path("dot.ppm"), stripes(1, 1));
  write_file(path("wide.ppm"), stripes(20000, 4));
  write_file(path("tall.ppm"), stripes(4, 20000));
  const ProcessResult result = glimpse({"overlay", "--format", "json", "-o", "out", "dot.ppm", "wide.ppm", "tall.ppm"});
  EXPECT_EQ(result.code, 0) << result.output << result.errors;
  const std::vector<std::string_view> lines = split_lines(result.output);
  ASSERT_EQ(lines.size(), 3U);
  for (const std::string_view line : lines) {
    const auto record = nlohmann::json::parse(line);
    for (const auto& word : record["words"]) {
      const auto box = word["box"].get<std::array<long, 4>>();
      EXPECT_GE(box[0], 0);
      EXPECT_GE(box[1], 0);
      EXPECT_LE(box[0] + box[2], record["width"].get<long>());
      EXPECT_LE(box[1] + box[3], record["height"].get<long>());
    }
  }
}

TEST_F(BadPicturesTest, ATruncatedJpegIsCaptionedOrRefused) {
  const std::filesystem::path photos = source_path("assets/photos");
  std::filesystem::path photo;
  for (const auto& entry : std::filesystem::directory_iterator(photos)) {
    if (entry.path().extension() == ".jpg") photo = entry.path();
  }
  ASSERT_FALSE(photo.empty()) << "no .jpg in " << photos;
  const std::string whole = read_whole(photo);
  for (const double part : {0.0, 0.01, 0.1, 0.5, 0.99}) {
    const auto size = static_cast<std::size_t>(static_cast<double>(whole.size()) * part);
    SCOPED_TRACE(photo.string() + " cut to " + std::to_string(size) + " bytes");
    write_file(path("cut.jpg"), whole.substr(0, size));
    const ProcessResult result = glimpse({"caption", "cut.jpg", "good.ppm"});
    if (result.code == 0) {
      EXPECT_THAT(first_columns(result.output), ElementsAre("cut.jpg", "good.ppm"));
    } else {
      EXPECT_EQ(result.code, 4);
      EXPECT_THAT(first_columns(result.output), ElementsAre("good.ppm"));
      EXPECT_THAT(result.errors, StartsWith("glimpse: error: "));
    }
    EXPECT_EQ(result.errors.find("Premature"), std::string::npos) << "a library's own message: " << result.errors;
  }
}

}  // namespace
}  // namespace glimpse::testing
