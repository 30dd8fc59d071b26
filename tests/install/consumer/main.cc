// The README's example of a program that links glimpse.
#include <glimpse/pipeline/captioner.h>

#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const glimpse::Captioner captioner(glimpse::Model::load(MODELS_DIR "/glimpse-base.safetensors"));
  glimpse::CaptionSession session(captioner);
  std::cout << session.caption(glimpse::load_image(argv[1])).front().text << '\n';
}
