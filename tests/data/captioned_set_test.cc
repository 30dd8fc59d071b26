#include "data/captioned_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "core/error.h"
#include "support/paths.h"

namespace glimpse::train {
namespace {

using ::testing::HasSubstr;
using Words = std::vector<std::string>;

class CaptionedSetTest : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::ofstream(scratch_.path() / name, std::ios::binary) << text;
    return scratch_.path() / name;
  }

  const std::filesystem::path& folder() const { return scratch_.path(); }

  /// The error of reading `text`; fails if there is none.
  Error error_of(const std::string& text) const {
    try {
      read_captioned_set(write("set.json", text), "photos");
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "accepted: " << text.substr(0, 200);
    return {ErrorCode::kInternal, ""};
  }

 private:
  glimpse::testing::ScratchFolder scratch_;
};

constexpr const char* kKarpathy = R"({"dataset": "x", "images": [
  {"filepath": "val2014", "filename": "a.jpg", "split": "test", "cocoid": 7, "imgid": 0, "sentids": [1],
   "sentences": [{"raw": "A red-brown DOG.", "tokens": ["a", "red", "dog"], "sentid": 1}, {"raw": "It's Max, 2"}]},
  {"filename": "b.jpg", "split": "restval", "sentences": [{"tokens": ["two", "cats"]}]},
  {"filename": "c.jpg", "split": "train", "sentences": [{"raw": "a cat"}]}]})";

TEST_F(CaptionedSetTest, ReadsKarpathysLayout) {
  const CaptionedSet set = read_captioned_set(write("k.json", kKarpathy), "photos");
  ASSERT_EQ(set.pictures.size(), 3U);
  const CaptionedPicture& first = set.pictures[0];
  EXPECT_EQ(first.file, "photos/val2014/a.jpg");
  EXPECT_EQ(first.id, "7");
  EXPECT_EQ(first.split, "test");
  EXPECT_EQ(first.captions, (Words{"A red-brown DOG.", "It's Max, 2"}));
  EXPECT_EQ(first.tokens, (std::vector<Words>{{"a", "red", "dog"}, {"it's", "max", "2"}}))
      << "the file's own come first";
  EXPECT_EQ(set.pictures[1].file, "photos/b.jpg");
  EXPECT_EQ(set.pictures[1].id, "b.jpg");
  EXPECT_EQ(set.pictures[1].captions, Words{"two cats"});
}

TEST_F(CaptionedSetTest, ReadsCocosLayout) {
  const std::string text = R"({"info": {"x": {"images": 1, "image": 2}}, "annotations": [
    {"image_id": 5, "id": 1, "caption": "A dog"}, {"image_id": "six", "id": 2, "caption": "a cat\n"},
    {"image_id": 5, "id": 3, "caption": "a puppy"}],
    "images": [{"id": 5, "file_name": "x.jpg"}, {"id": "six"}]})";
  const CaptionedSet set = read_captioned_set(write("c.json", text), "photos");
  ASSERT_EQ(set.pictures.size(), 2U);
  EXPECT_EQ(set.pictures[0].file, "photos/x.jpg");
  EXPECT_EQ(set.pictures[0].id, "5");
  EXPECT_EQ(set.pictures[0].captions, (Words{"A dog", "a puppy"}));
  EXPECT_EQ(set.pictures[0].tokens, (std::vector<Words>{{"a", "dog"}, {"a", "puppy"}}));
  EXPECT_EQ(set.pictures[1].file, "") << "file names are not needed for scoring";
  EXPECT_EQ(set.pictures[1].id, "six");
}

TEST_F(CaptionedSetTest, ReadsJsonLines) {
  const std::string text =
      "{\"split\": \"train\", \"image\": \"sub/a.png\", \"captions\": [\"A Dog\", \"a puppy\"]}\r\n\n"
      "{\"captions\": [\"a cat\"], \"id\": 3, \"image\": \"/abs/b.png\"}";
  const CaptionedSet set = read_captioned_set(write("l.jsonl", text));
  ASSERT_EQ(set.pictures.size(), 2U);
  EXPECT_EQ(set.pictures[0].file, folder() / "sub/a.png") << "beside the file, where no folder is given";
  EXPECT_EQ(set.pictures[0].id, "sub/a.png");
  EXPECT_EQ(set.pictures[0].split, "train");
  EXPECT_EQ(set.pictures[0].tokens, (std::vector<Words>{{"a", "dog"}, {"a", "puppy"}}));
  EXPECT_EQ(set.pictures[1].file, "/abs/b.png");
  EXPECT_EQ(set.pictures[1].id, "3");
  EXPECT_EQ(set.pictures[1].split, "");
  EXPECT_EQ(read_captioned_set(folder() / "l.jsonl", "photos").pictures[0].file, "photos/sub/a.png");
}

TEST_F(CaptionedSetTest, LinesMaySayWhatStandsWhere) {
  const CaptionedSet set = read_captioned_set(write(
      "l.jsonl",
      R"({"image": "a.png", "captions": ["a"], "things": [{"shape": "star", "colour": "red", "size": "small", "box": [1, 2.5, 3, 4]}, {"shape": "fish", "box": [0, 0, 9, 9], "mood": 3}]}
{"image": "b.png", "captions": ["b"]})"));
  ASSERT_EQ(set.pictures[0].things.size(), 2U);
  const metrics::KnownThing& star = set.pictures[0].things[0];
  EXPECT_EQ(star.shape + star.colour + star.size, "starredsmall");
  EXPECT_EQ(star.box.x, 1);
  EXPECT_EQ(star.box.y, 2.5);
  EXPECT_EQ(star.box.width, 3);
  EXPECT_EQ(star.box.height, 4);
  EXPECT_EQ(set.pictures[0].things[1].colour, "");
  EXPECT_TRUE(set.pictures[1].things.empty());
  const auto refused = [&](const std::string& things) {
    return std::string(error_of(R"({"image": "a", "captions": ["a"], "things": )" + things + "}").what());
  };
  EXPECT_THAT(refused("{}"), HasSubstr("\"things\" that is not a list"));
  EXPECT_THAT(refused("[3]"), HasSubstr("things[0] is not an object"));
  EXPECT_THAT(refused(R"([{"shape": "star"}])"), HasSubstr("no \"box\""));
  EXPECT_THAT(refused(R"([{"box": [1, 2, 3]}])"), HasSubstr("four numbers"));
  EXPECT_THAT(refused(R"([{"box": [1, 2, 3, "4"]}])"), HasSubstr("four numbers"));
  EXPECT_THAT(refused(R"([{"box": [1, 2, 3, 4]}, {"box": [1, 2, 3, 4], "shape": 3}])"),
              HasSubstr("things[1] has a \"shape\" that is not a text"));
}

TEST_F(CaptionedSetTest, SplitsAreTakenByName) {
  const CaptionedSet set = read_captioned_set(write("k.json", kKarpathy), "photos");
  const auto ids = [](const CaptionedSet& some) {
    Words result;
    for (const CaptionedPicture& picture : some.pictures) result.push_back(picture.id);
    return result;
  };
  EXPECT_EQ(ids(take_split(set, "test")), Words{"7"});
  EXPECT_EQ(ids(take_split(set, "train")), Words{"c.jpg"});
  EXPECT_EQ(ids(take_split(set, "train", Restval::kIsTrain)), (Words{"b.jpg", "c.jpg"}));
  EXPECT_EQ(ids(take_split(set, "restval", Restval::kIsTrain)), Words{"b.jpg"});
  try {
    take_split(set, "val");
    ADD_FAILURE() << "there is no split 'val'";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("no split 'val'; there are 'restval', 'test', 'train'"));
  }
}

TEST_F(CaptionedSetTest, MissingPicturesAreCountedAndTheFirstNamed) {
  std::string text;
  for (int i = 0; i < 9; ++i) text += R"({"image": ")" + std::to_string(i) + R"(.png", "captions": ["a"]})" + "\n";
  const CaptionedSet set = read_captioned_set(write("l.jsonl", text));
  write("3.png", "");
  try {
    check_pictures_exist(set);
    ADD_FAILURE() << "eight pictures are missing";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kMissing);
    EXPECT_THAT(error.what(), HasSubstr("8 of the 9 pictures"));
    EXPECT_THAT(error.what(), HasSubstr("/0.png'"));
    EXPECT_THAT(error.what(), HasSubstr("/5.png', …"));
    EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("/3.png")));
    EXPECT_THAT(error.what(), ::testing::Not(HasSubstr("/6.png")));
  }
  for (int i = 0; i < 9; ++i) write(std::to_string(i) + ".png", "");
  EXPECT_NO_THROW(check_pictures_exist(set));
}

TEST_F(CaptionedSetTest, BadFilesAreRefusedWithWhatIsWrongWhere) {
  const std::string line = R"({"image": "a.png", "captions": ["a dog"]})";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "line 1: not JSON"},
      {"\n{\"images\":\n [}", "line 3: not JSON"},
      {"[1, 2]", "holds no captioned pictures"},
      {"7", "holds no captioned pictures"},
      {R"({"pictures": []})", "holds no captioned pictures"},
      {R"({"images": []})", "names no picture"},
      {R"({"images": {}})", "\"images\" that is not a list"},
      {R"({"images": [1]})", "images[0] is not an object"},
      {R"({"images": [{"sentences": []}]})", "images[0] has no \"filename\""},
      {R"({"images": [{"filename": 3, "sentences": []}]})", "\"filename\" that is not a text"},
      {R"({"images": [{"filename": "", "sentences": []}]})", "'' for a file's name"},
      {R"({"images": [{"filename": "a\u0000b", "sentences": []}]})", "for a file's name"},
      {R"({"images": [{"filename": "a.jpg"}]})", "images[0] has no \"sentences\""},
      {R"({"images": [{"filename": "a.jpg", "sentences": []}]})", "1 of 1 pictures have no caption: 'a.jpg'"},
      {R"({"images": [{"filename": "a.jpg", "sentences": [{"raw": " .-"}]}]})",
       "sentences[0] is a caption without a word"},
      {R"({"images": [{"filename": "a.jpg", "sentences": [{"tokens": []}]}]})", "caption without a word"},
      {R"({"images": [{"filename": "a.jpg", "sentences": [{"tokens": ["a", 1]}]}]})", "not all words"},
      {R"({"images": [{"filename": "a.jpg", "cocoid": 1.5, "sentences": [{"raw": "a"}]}]})", "neither a whole number"},
      {R"({"images": [{"filename": "a", "sentences": [{"raw": "a"}]}, {"filename": "a", "sentences": [{"raw": "b"}]}]})",
       "picture 'a' twice"},
      {R"({"images": [{"id": 1}], "annotations": [{"image_id": 2, "caption": "a"}]})", "annotations[0]"},
      {R"({"images": [{"id": 1}, {"id": 1}], "annotations": [{"image_id": 1, "caption": "a"}]})", "picture '1' twice"},
      {R"({"images": [{"id": 1}], "annotations": [{"image_id": 1, "caption": ""}]})", "caption without a word"},
      {R"({"images": [{"id": 1}, {"id": 2}], "annotations": [{"image_id": 1, "caption": "a"}]})", "no caption: '2'"},
      {line + "\n" + line, "picture 'a.png' twice"},
      {line + "\n\n{\"image\": \"b.png\"", "line 3: not JSON"},
      {line + "\n{\"image\": \"b.png\"}", "line 2 has no \"captions\""},
      {line + "\n[]", "line 2 is not an object"},
      {R"({"image": "a.png", "captions": "a dog"})", "\"captions\" that is not a list"},
      {R"({"image": "a.png", "captions": ["a dog", null]})", "not all texts"},
      {R"({"image": "a.png", "captions": []})", "no caption: 'a.png'"},
      {R"({"image": "a.png", "captions": ["a"], "split": 1})", "\"split\" that is not a text"},
      {"{\"image\": \"\xff\", \"captions\": [\"a\"]}", "line 1: not JSON"},
      {R"({"images": [1e999]})", "out of range"},
      {std::string(2'000'000, '['), "nested too deeply"},
      {R"({"image": )" + std::string(2'000'000, '['), "nested too deeply"},
      {R"({"images": )" + std::string(100, '[') + std::string(100, ']') + "}", "nested too deeply"},
  };
  for (const auto& [text, message] : cases) {
    const Error error = error_of(text);
    EXPECT_EQ(error.code(), ErrorCode::kUsage) << text.substr(0, 200);
    EXPECT_THAT(error.what(), HasSubstr(message)) << text.substr(0, 200);
    EXPECT_THAT(error.what(), HasSubstr("set.json'")) << text.substr(0, 200);
  }
}

TEST_F(CaptionedSetTest, FilesThatCannotBeReadAreNamed) {
  for (const std::filesystem::path& path : {folder() / "gone.json", folder()}) {
    try {
      read_captioned_set(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.what(), HasSubstr(path.native()));
    }
  }
}

TEST_F(CaptionedSetTest, TheProjectsOwnCaptionsAreReadWhole) {
  GLIMPSE_REQUIRE_SHARED("data/captions.json");
  const CaptionedSet set = read_captioned_set(glimpse::testing::shared_path("data/captions.json"),
                                              glimpse::testing::shared_path("data/photos"));
  EXPECT_EQ(set.pictures.size(), 10038U);
  const CaptionedSet test = take_split(set, "test");
  EXPECT_EQ(test.pictures.size(), 1000U);
  EXPECT_NO_THROW(check_pictures_exist(test));
}

}  // namespace
}  // namespace glimpse::train
