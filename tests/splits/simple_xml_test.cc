#include "splits/simple_xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "harness/core/errors.h"
#include "tests/splits/small_corpus.h"

namespace tagbench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::message_of;
using testing::write_text;

class SimpleXmlTest : public ::testing::Test {
 protected:
  std::vector<XmlElement> read(const std::string& text) {
    write_text(folder_ / "a.xml", text);
    std::vector<XmlElement> elements;
    read_xml(folder_ / "a.xml", [&](const XmlElement& element) { elements.push_back(element); });
    return elements;
  }
  std::string complaint(const std::string& text) {
    return message_of([&] { read(text); });
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(SimpleXmlTest, GivesElementsWithPathAttributesAndLine) {
  const std::vector<XmlElement> elements = read(
      "<?xml version=\"1.0\"?>\n<!-- <no> -->\n<a>\n  <b x='1' y = \"R&amp;B &#233;&#x41;\">text</b>\n  <c/>\n</a>\n");
  ASSERT_EQ(elements.size(), 3U);
  EXPECT_THAT(elements[1].path, ElementsAre("a", "b"));
  EXPECT_EQ(elements[1].attribute("x"), "1");
  EXPECT_EQ(elements[1].attribute("y"),
            "R&B \xC3\xA9"
            "A");
  EXPECT_EQ(elements[1].attribute("z"), "");
  EXPECT_EQ(elements[1].line, 4);
  EXPECT_THAT(elements[2].path, ElementsAre("a", "c"));
}

TEST_F(SimpleXmlTest, RejectsWhatIsNotWellFormedOrDangerous) {
  EXPECT_THAT(complaint(""), HasSubstr("an XML document was expected"));
  EXPECT_THAT(complaint("<a>\n<b>\n</a>"), HasSubstr("a.xml, line 3: </a> closes no open element"));
  EXPECT_THAT(complaint("<a><b/>"), HasSubstr("the file ends inside <a>; fetch it again"));
  EXPECT_THAT(complaint("<a x=\"1"), HasSubstr("the file ends inside a tag"));
  EXPECT_THAT(complaint("<a x=1/>"), HasSubstr("a quoted value was expected"));
  EXPECT_THAT(complaint("<a x='&bomb;'/>"), HasSubstr("unknown reference '&bomb;'"));
  EXPECT_THAT(complaint("<a x='&#xD800;'/>"), HasSubstr("unknown reference"));
  EXPECT_THAT(complaint("<!DOCTYPE a [<!ENTITY b \"c\">]><a/>"), HasSubstr("a document type is not accepted"));
  EXPECT_THAT(complaint("<a/><b/>"), HasSubstr("a second root element"));
  EXPECT_THAT(complaint("<!-- open"), HasSubstr("'-->' is missing"));
  EXPECT_THAT(complaint("<a x='\xE9'/>"), HasSubstr("not UTF-8"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_THAT(complaint(deep), HasSubstr("nested deeper than 64 levels"));
}

}  // namespace
}  // namespace tagbench
