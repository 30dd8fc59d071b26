// The commands besides captioning, wrong usage, and where the default model is found.
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "fixture.h"

namespace glimpse::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using Json = nlohmann::json;

class CommandsTest : public AppTest {
 protected:
  CommandsTest() { add_picture("a.ppm"); }
};

struct WrongUsage {
  std::vector<std::string> arguments;
  const char* message;
};

TEST_F(CommandsTest, WrongUsageIsOneLineThatSaysWhatWasMeant) {
  const std::vector<WrongUsage> cases = {
      {{}, "which command?"},
      {{"captoin", "a.ppm"}, "did you mean 'caption'?"},
      {{"a.ppm"}, "did you mean 'glimpse caption a.ppm'?"},
      {{"caption"}, "no pictures given"},
      {{"caption", "--beem", "3", "a.ppm"}, "unknown option '--beem'; did you mean '--beam'?"},
      {{"caption", "--bea", "3", "a.ppm"}, "unknown option '--bea'"},
      {{"caption", "-Z", "a.ppm"}, "unknown option '-Z'"},
      {{"caption", "--roi", "1,2,3", "a.ppm"}, "--roi takes left, top, width and height in pixels"},
      {{"caption", "--roi", "1,2,3,4,5", "a.ppm"}, "--roi takes left, top, width and height in pixels"},
      {{"caption", "--roi", "1,2,0,4", "a.ppm"}, "--roi takes left, top, width and height in pixels"},
      {{"caption", "--roi", "100,2,3,4", "a.ppm"}, "nothing of what the model sees of a picture of 48×32 pixels"},
      {{"caption", "--rio", "1,2,3,4", "a.ppm"}, "unknown option '--rio'"},
      {{"caption", "--precision", "int8", "a.ppm"}, "unknown option '--precision'"},
      {{"caption", "a.ppm", "--beam"}, "'--beam' is missing"},
      {{"caption", "--beam", "0", "a.ppm"}, "--beam takes a number from 1 to"},
      {{"caption", "--beam", "3x", "a.ppm"}, "not '3x'"},
      {{"caption", "--beam", "99999999999", "a.ppm"}, "--beam takes a number"},
      {{"caption", "--beam=2", "--beam=3", "a.ppm"}, "--beam"},
      {{"caption", "--length-penalty", "nan", "a.ppm"}, "--length-penalty takes a number"},
      {{"caption", "--threads", "0", "a.ppm"}, "--threads takes a number from 1"},
      {{"caption", "--format", "jsno", "a.ppm"}, "did you mean 'json'? (it takes: text, json, csv)"},
      {{"caption", "--attention", "a.ppm"}, "--attention needs --format json"},
      {{"caption", "--seed", "4", "a.ppm"}, "--seed has a meaning only with --sample"},
      {{"caption", "--sample", "top-k=3", "--beam", "2", "a.ppm"}, "--beam and --sample exclude each other"},
      {{"caption", "--sample", "topk=3", "a.ppm"}, "did you mean 'top-k'?"},
      {{"caption", "--sample", "top-k", "a.ppm"}, "key=value"},
      {{"caption", "--sample", "top-k=2.5", "a.ppm"}, "whole number"},
      {{"caption", "--sample", "temperature=0", "a.ppm"}, "temperature"},
      {{"caption", "--sample", "top-p=1.5", "a.ppm"}, "top-p"},
      {{"caption", "--min-words", "9", "--max-words", "4", "a.ppm"}, "min-words"},
      {{"caption", "--top", "4", "--beam", "2", "a.ppm"}, "4"},
      {{"caption", "--require", "worda", "--forbid", "worda", "a.ppm"}, "worda"},
      {{"caption", "--require", "wordaa", "a.ppm"}, "wordaa"},
      {{"caption", "--prefix", "worda nonsense", "a.ppm"}, "nonsense"},
      {{"caption", "-", "-"}, "'-' is given twice"},
      {{"caption", "-0", "a.ppm"}, "give '-'"},
      {{"overlay", "--style", "bocks", "a.ppm"}, "(it takes: heat, contour, box, spotlight)"},
      {{"overlay", "--layout", "stripe", "a.ppm"}, "did you mean 'strip'?"},
      {{"overlay", "--layout", "strip", "--animate", "a.ppm"}, "--animate shows one word after the other"},
      {{"overlay", "--layout", "matrix", "--style", "box", "a.ppm"}, "--style has no meaning with --layout matrix"},
      {{"overlay", "--alpha", "2", "a.ppm"}, "--alpha takes a number from 0 to 1"},
      {{"overlay", "--scale", "globl", "a.ppm"}, "did you mean 'global'?"},
      {{"overlay", "-o", "a.ppm", "a.ppm"}, "'a.ppm' is a file"},
      {{"info", "one", "two"}, "one model at a time"},
      {{"pack", "folder"}, "-o FILE"},
      {{"pack", "-o", "x"}, "one model folder"},
      {{"bench"}, "encoder, decoder or pipeline"},
      {{"bench", "decodr"}, "did you mean 'decoder'?"},
      {{"bench", "decoder", "--no-such-option"}, "no-such-option"},
  };
  for (const WrongUsage& wrong : cases) {
    std::string shown = "glimpse";
    for (const std::string& argument : wrong.arguments) shown += " " + argument;
    SCOPED_TRACE(shown);
    const ProcessResult result = glimpse(wrong.arguments);
    EXPECT_EQ(result.code, 2);
    EXPECT_EQ(result.output, "");
    EXPECT_THAT(result.errors, StartsWith("glimpse: error: "));
    EXPECT_THAT(result.errors, HasSubstr(wrong.message));
    EXPECT_EQ(split_lines(result.errors).size(), 1U) << result.errors;
  }
}

TEST_F(CommandsTest, HelpIsAResult) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"-h"},
                                                    {"help"},
                                                    {"caption", "--help"},
                                                    {"caption", "-h", "--beam", "3"},
                                                    {"overlay", "--help"},
                                                    {"info", "--help"},
                                                    {"pack", "--help"},
                                                    {"bench", "--help"}}) {
    const ProcessResult result = glimpse(arguments);
    EXPECT_EQ(result.code, 0) << result.errors;
    EXPECT_THAT(result.output, StartsWith("usage: glimpse"));
    EXPECT_EQ(result.errors, "");
  }
}

TEST_F(CommandsTest, HelpFitsATerminalAndShowsEveryOption) {
  const ProcessResult result = glimpse({"caption", "--help"});
  for (const char* option : {"-m, --model FILE", "-b, --beam N", "--sample top-k=K,top-p=P,temperature=T",
                             "--length-penalty A", "--max-words N", "--min-words N", "--no-repeat-ngram N",
                             "-n, --top N", "--require WORD", "--forbid WORD", "--prefix TEXT", "-t, --threads N",
                             "--format FORMAT", "--timing", "--attention", "--seed N", "-0, --nul", "-h, --help"}) {
    EXPECT_THAT(result.output, HasSubstr(option));
  }
  for (const std::string_view line : split_lines(result.output)) EXPECT_LE(line.size(), 120U) << line;
}

TEST_F(CommandsTest, VersionNamesTheProjectAndOneDnn) {
  const ProcessResult result = glimpse({"--version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.output, ::testing::MatchesRegex("glimpse [0-9]+\\.[0-9]+\\.[0-9]+\noneDNN 2\\.[0-9.]+, .*\n"));
}

TEST_F(CommandsTest, InfoDescribesTheModel) {
  const ProcessResult text = glimpse({"info"});
  EXPECT_EQ(text.code, 0) << text.errors;
  EXPECT_THAT(text.output, HasSubstr("tiny"));
  const ProcessResult result = glimpse({"info", "--format", "json", "tiny.safetensors"});
  ASSERT_EQ(result.code, 0) << result.errors;
  const Json json = Json::parse(result.output);
  EXPECT_EQ(json["name"], "tiny");
  EXPECT_EQ(json["encoder"]["nodes"], 3);
  EXPECT_EQ(json["encoder"]["rows"], 4);
  EXPECT_EQ(json["encoder"]["channels"], 8);
  const std::int64_t parameters = (8 * 3 * 9 + 8) + 2 * (8 * 8 * 9 + 8);
  EXPECT_EQ(json["encoder"]["parameters"], parameters);
  EXPECT_EQ(json["encoder"]["multiply_adds"], 8 * 27 * 16 * 16 + 8 * 72 * 8 * 8 + 8 * 72 * 4 * 4);
  std::int64_t all = 0;
  for (const auto& [name, tensor] : tiny_tensors()) all += tensor.count();
  EXPECT_EQ(json["decoder"]["parameters"], all - parameters);
  EXPECT_EQ(json["decoder"]["lstm_units"], 12);
  EXPECT_EQ(json["vocabulary"], kTinyWords);
  EXPECT_EQ(json["tensors"]["F32"]["bytes"], all * 4);
  EXPECT_TRUE(json["provenance"].is_null());
}

TEST_F(CommandsTest, InfoTellsHowADecoderLooks) {
  ModelConfig config = tiny_config();
  config.decoder.selector = DecoderConfig::Selector::kHardLocal;
  config.decoder.window = 1.5;
  write_bundle(Model(config, Weights("tiny", tiny_tensors())), path("local.safetensors"));
  const std::string text = glimpse({"info", "local.safetensors"}).output;
  for (const char* part : {"selector: hard-local", "window: 1.5 cells", "channels: none", "history: none", "heads 1"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(glimpse({"info"}).output, ::testing::Not(HasSubstr("window:")));
  EXPECT_EQ(Json::parse(glimpse({"info", "--format", "json", "local.safetensors"}).output)["decoder"]["window"], 1.5);
  const ProcessResult drawn = glimpse({"caption", "--hard-sample", "3", "a.ppm"});
  EXPECT_EQ(drawn.code, 2);
  EXPECT_THAT(drawn.errors, HasSubstr("'tiny' looks at all cells at once"));
}

TEST_F(CommandsTest, InfoPrintsTheGraph) { EXPECT_EQ(glimpse({"info", "--graph"}).output, tiny_config().graph); }

TEST_F(CommandsTest, PackMakesABundleThatSaysTheSame) {
  const std::filesystem::path folder = path("unpacked");
  std::filesystem::create_directories(folder);
  const ModelConfig config = tiny_config();
  write_file(folder / "model.json", config_to_json(config));
  write_file(folder / "encoder.graph", config.graph);
  std::string words;
  for (const std::string& word : config.vocabulary) words += word + "\n";
  write_file(folder / "vocabulary.txt", words);
  const auto tensors = tiny_tensors();
  std::vector<NamedTensor> named;
  named.reserve(tensors.size());
  for (const auto& [name, tensor] : tensors) named.push_back({name, tensor.view()});
  write_safetensors(folder / "weights.safetensors", named, {});

  const ProcessResult packed = glimpse({"pack", "unpacked", "-o", "one.safetensors"});
  ASSERT_EQ(packed.code, 0) << packed.errors;
  EXPECT_THAT(packed.output, StartsWith("one.safetensors: tiny, "));
  ASSERT_EQ(glimpse({"pack", "unpacked", "-o", "two.safetensors"}).code, 0);
  EXPECT_EQ(read_whole(path("one.safetensors")), read_whole(path("two.safetensors")));
  const std::string from_folder = glimpse({"caption", "--format", "json", "-m", "unpacked", "a.ppm"}).output;
  EXPECT_NE(from_folder, "");
  EXPECT_EQ(glimpse({"caption", "--format", "json", "-m", "one.safetensors", "a.ppm"}).output, from_folder);
}

TEST_F(CommandsTest, PackSaysWhereItCannotWrite) {
  const ProcessResult result = glimpse({"pack", "tiny.safetensors", "-o", "gone/one.safetensors"});
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.errors, HasSubstr("gone/one.safetensors"));
}

TEST_F(CommandsTest, MeasurementsAreKeptWhereTheUserWants) {
  struct Case {
    std::vector<std::pair<std::string, std::string>> environment;
    const char* file;  ///< where they then are; empty: nowhere
  };
  const std::string none;
  const std::string home = path("home").string();
  const std::string xdg = path("xdg").string();
  const std::vector<Case> cases = {
      {{{"GLIMPSE_CACHE", path("own").string()}, {"XDG_CACHE_HOME", xdg}, {"HOME", home}}, "own/convolutions.txt"},
      {{{"GLIMPSE_CACHE", none}, {"XDG_CACHE_HOME", xdg}, {"HOME", home}}, "xdg/glimpse/convolutions.txt"},
      {{{"GLIMPSE_CACHE", none}, {"XDG_CACHE_HOME", none}, {"HOME", home}}, "home/.cache/glimpse/convolutions.txt"},
      {{{"GLIMPSE_CACHE", none}, {"XDG_CACHE_HOME", none}, {"HOME", none}}, ""},
      {{{"GLIMPSE_CACHE", path("a.ppm/inside").string()}}, ""},  // cannot be made: nobody complains
  };
  for (const Case& where : cases) {
    SCOPED_TRACE(where.file);
    ProcessOptions all = options({"caption", "a.ppm"});
    all.environment.insert(all.environment.end(), where.environment.begin(), where.environment.end());
    const ProcessResult result = run_glimpse(all);
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.errors, "");
    if (*where.file != '\0') {
      EXPECT_TRUE(std::filesystem::exists(path(where.file)));
    }
  }
}

TEST_F(CommandsTest, TheModelThatComesWithGlimpseIsFoundBesideTheBinary) {
  ProcessOptions all = options({"caption", "--format", "json", "a.ppm"});
  all.environment.emplace_back("GLIMPSE_MODEL", "");
  const ProcessResult result = run_glimpse(all);
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(Json::parse(result.output)["model"], "glimpse-base");
}

}  // namespace
}  // namespace glimpse::testing
