#include "core/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <limits>

#include "core/error.h"
#include "core/random.h"
#include "support/paths.h"

namespace glimpse {
namespace {

using ::testing::HasSubstr;

std::string file_bytes(std::string_view header, std::size_t data_bytes) {
  std::string bytes(8, '\0');
  const std::uint64_t size = header.size();
  std::memcpy(bytes.data(), &size, 8);
  return bytes + std::string(header) + std::string(data_bytes, '\0');
}

class SafetensorsTest : public ::testing::Test {
 protected:
  std::filesystem::path write(std::string_view bytes) {
    const auto path = scratch_.path() / "w.safetensors";
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  std::string error_of(std::string_view bytes) {
    try {
      const Weights weights(write(bytes));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kModel);
      return error.what();
    }
    return "";
  }
  testing::ScratchFolder scratch_;
};

TEST_F(SafetensorsTest, WritesWhatItReads) {
  const std::vector<std::int8_t> bytes = {-1, 2, 3};
  const Tensor matrix({2, 2}, std::vector<float>{1, 2, 3, 4});
  const auto path = scratch_.path() / "w.safetensors";
  const TensorView small = {reinterpret_cast<const std::byte*>(bytes.data()), DType::kI8, {3}};
  const TensorView none = {nullptr, DType::kF32, {0, 4}};
  write_safetensors(path, {{"b", small}, {"empty", none}, {"a", matrix.view()}}, {{"key", "välue\n"}});

  const Weights weights(path);
  EXPECT_EQ(weights.metadata().at("key"), "välue\n");
  EXPECT_EQ(weights.at("b").dtype, DType::kI8);
  EXPECT_EQ(weights.at("empty").count(), 0);
  EXPECT_THAT(weights.load("a", {2, 2}).values(), ::testing::ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(weights.load("b", {3}).values(), ::testing::ElementsAre(-1, 2, 3));
}

TEST_F(SafetensorsTest, TheSameTensorsGiveTheSameBytes) {
  const Tensor matrix({2, 2}, std::vector<float>{1, 2, 3, 4});
  const auto path = scratch_.path() / "w";
  const auto once = [&] {
    write_safetensors(path, {{"a", matrix.view()}}, {{"z", "1"}, {"b", "2"}});
    return read_file(path, 10'000);
  };
  EXPECT_EQ(once(), once());
}

TEST_F(SafetensorsTest, RefusesHostileHeaders) {
  struct Case {
    std::string header;
    std::size_t data_bytes;
    std::string message;
  };
  const Case cases[] = {
      {"[]", 0, "not a JSON object"},
      {"{", 0, "not JSON"},
      {std::string(100'000, '['), 0, "nested too deeply"},
      {R"({"a":{"a":{"a":{"a":{"a":{"a":1}}}}}})", 0, "nested too deeply"},
      {R"({"a":1})", 0, "'a': its entry is not an object"},
      {R"({"a":{"shape":[1],"data_offsets":[0,4]}})", 4, "no dtype"},
      {R"({"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}})", 4, "'F31' is not supported"},
      {R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", 4, "no shape"},
      {R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "not a whole number"},
      {R"({"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, "not a whole number"},
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4, "overflows"},
      {R"({"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}})", 4, "overflows"},
      {R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4, "dimensions"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 4, "two whole numbers"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 4, "two whole numbers"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}})", 4, "lie outside"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4, "lie outside"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551608,18446744073709551612]}})", 4,
       "lie outside"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, "takes 8 bytes"},
      {R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
       12, "'a' and 'b' overlap"},
      {R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
       4, "'a' stands in the header twice"},
      {R"({"__metadata__":{"k":1}})", 0, "'k' is not a string"},
      {R"({"__metadata__":3})", 0, "not an object"},
      {R"({"a":1e999})", 0, "not JSON"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(error_of(file_bytes(c.header, c.data_bytes)), HasSubstr(c.message)) << c.header.substr(0, 200);
  }
}

TEST_F(SafetensorsTest, RefusesTruncatedFiles) {
  const Tensor matrix({2, 2}, std::vector<float>{1, 2, 3, 4});
  const auto path = scratch_.path() / "whole";
  write_safetensors(path, {{"a", matrix.view()}}, {});
  const std::string whole = read_file(path, 10'000);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_THAT(error_of(whole.substr(0, length)), HasSubstr("not a valid safetensors file")) << length;
  }
  EXPECT_EQ(error_of(whole), "");
}

TEST_F(SafetensorsTest, AnyMutationIsReadOrRefusedButNeverCrashes) {
  const Tensor matrix({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  const auto path = scratch_.path() / "whole";
  write_safetensors(path, {{"a", matrix.view()}, {"b", matrix.view()}}, {{"k", "v"}});
  const std::string whole = read_file(path, 10'000);
  Random random(3);
  int refused = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string mutated = whole;
    const std::uint64_t changes = 1 + random.below(4);
    for (std::uint64_t i = 0; i < changes; ++i) {
      mutated[random.below(mutated.size())] = static_cast<char>(random.below(256));
    }
    refused += error_of(mutated).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 100);
}

TEST_F(SafetensorsTest, LoadNamesTensorShapeAndValue) {
  const auto message = [](const Weights& weights, std::string_view name, const Shape& shape) -> std::string {
    try {
      weights.load(name, shape);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  std::map<std::string, Tensor, std::less<>> tensors;
  tensors.emplace("conv1.weight", Tensor({2}, std::vector<float>{1, 2}));
  tensors.emplace("nan", Tensor({2}, std::vector<float>{1, std::numeric_limits<float>::quiet_NaN()}));
  tensors.emplace("inf", Tensor({2}, std::vector<float>{-std::numeric_limits<float>::infinity(), 3}));
  const Weights weights("w.safetensors", std::move(tensors));
  EXPECT_EQ(message(weights, "conv1.weigth", {2}),
            "'w.safetensors' has no tensor 'conv1.weigth' (there is 'conv1.weight')");
  EXPECT_THAT(message(weights, "conv1.weight", {3}), HasSubstr("has shape [2], the model needs [3]"));
  EXPECT_THAT(message(weights, "nan", {2}), HasSubstr("nan at element 1"));
  EXPECT_THAT(message(weights, "inf", {2}), HasSubstr("-inf at element 0"));
  EXPECT_EQ(message(weights, "conv1.weight", {2}), "");
}

}  // namespace
}  // namespace glimpse
