/// Words as the metrics count them, which is not as captions are tokenised for training.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace glimpse::metrics {

/// The words of a caption as the standard COCO evaluation counts them: what Stanford's PTBTokenizer makes of it with
/// -lowerCase, without the punctuation that the evaluation takes out. Lower-cased (ASCII); "dog's" is "dog" "'s",
/// "can't" is "ca" "n't"; hyphenated words, numbers such as "1,000" and abbreviations such as "u.s." are one word;
/// quotes and . , ; : ? ! - are dropped; every other sign, brackets too, is a word of its own.
std::vector<std::string> tokenise(std::string_view caption);

}  // namespace glimpse::metrics
