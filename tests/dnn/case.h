/// Test cases as lines of text: "conv n=2 c=5 h=13 w=11 out=7 k=3,3 act=relu". The first word says what, the rest are
/// options with numbers or names; what is not said has a default where it is read.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dnn/plan/plan.h"

namespace glimpse::dnn::testing {

class Case {
 public:
  explicit Case(const std::string& line);

  const std::string& what() const { return what_; }
  const std::string& line() const { return line_; }
  std::int64_t number(const std::string& key, std::int64_t standard) const;
  std::vector<std::int64_t> numbers(const std::string& key, std::vector<std::int64_t> standard) const;
  std::string word(const std::string& key, const std::string& standard) const;

  Shape shape() const;  ///< n, c, h, w
  Padding padding() const;
  Activation activation() const;
  ConvolutionOptions convolution() const;
  PoolingOptions pooling() const;

 private:
  std::string line_;
  std::string what_;
  std::map<std::string, std::string> options_;
};

}  // namespace glimpse::dnn::testing
