#include "harness/run/protocol.h"

#include <gmock/gmock.h>

#include "tests/support/test_support.h"

namespace tagbench {
namespace {

using ::testing::HasSubstr;
using testing::message_of;

Protocol parse(const std::string& yaml) {
  return load_protocol(ConfigNode::parse(yaml, "test.yaml"));
}

TEST(ProtocolTest, Won2020IsThePublishedSchedule) {
  const Protocol protocol = load_protocol("won2020");
  EXPECT_EQ(protocol.epochs, 200);
  EXPECT_EQ(protocol.batch_size, 16);
  EXPECT_EQ(protocol.evaluation_chunks, 16);
  ASSERT_EQ(protocol.stages.size(), 4U);
  EXPECT_EQ(protocol.stages[0].optimizer, "adam");
  EXPECT_EQ(protocol.stages[0].learning_rate, 1e-4);
  EXPECT_EQ(protocol.stages[0].weight_decay, 1e-4);
  EXPECT_EQ(protocol.stages[1].from_epoch, 81);
  EXPECT_FALSE(protocol.stages[2].fresh_optimizer);
  EXPECT_TRUE(protocol.stages[2].nesterov);  // inherited
}

TEST(ProtocolTest, EveryBuiltInProtocolParses) {
  ASSERT_GE(protocol_names().size(), 3U);
  for (const std::string& name : protocol_names()) EXPECT_EQ(load_protocol(name).name, name);
}

TEST(ProtocolTest, AMapReplacesSingleKeys) {
  const Protocol changed = parse("{name: won2020, epochs: 3, batch_size: 64}");
  EXPECT_EQ(changed.epochs, 3);
  EXPECT_EQ(changed.batch_size, 64);
  EXPECT_EQ(changed.stages.size(), 4U);
  EXPECT_NE(changed.sha256(), load_protocol("won2020").sha256());
}

TEST(ProtocolTest, TheSourceTextDoesNotChangeTheIdentity) {
  EXPECT_EQ(parse("{name: won2020, source: other words}").sha256(), load_protocol("won2020").sha256());
}

TEST(ProtocolTest, RejectsWhatItCannotUse) {
  EXPECT_THAT(message_of([] { load_protocol("won2021"); }), HasSubstr("did you mean 'won2020'"));
  EXPECT_THAT(message_of([] { parse("{name: won2020, epoch: 3}"); }),
              HasSubstr("test.yaml:1: unknown key 'epoch'; did you mean 'epochs'"));
  EXPECT_THAT(message_of([] { parse("{name: won2020, epochs: 0}"); }), HasSubstr("must be from 1"));
  EXPECT_THAT(message_of([] { parse("{name: mine, epochs: 2}"); }), HasSubstr("at least one entry in stages"));
  EXPECT_THAT(message_of([] { parse("{name: mine, stages: [{learning_rate: -1}]}"); }),
              HasSubstr("must not be negative"));
  EXPECT_THAT(message_of([] { parse("{name: mine, stages: [{learning_rate: nan}]}"); }), HasSubstr("finite number"));
  EXPECT_THAT(message_of([] { parse("{name: mine, stages: [{optimizer: sgd, nesterov: true}]}"); }),
              HasSubstr("momentum above 0"));
  EXPECT_THAT(message_of([] { parse("{name: mine, stages: [{}, {learning_rate: 1e-5}]}"); }),
              HasSubstr("from_epoch is required"));
  EXPECT_THAT(message_of([] { parse("{name: mine, stages: [{}, {from_epoch: 1}]}"); }),
              HasSubstr("above that of the stage before"));
  EXPECT_THAT(
      message_of([] { parse("{name: mine, selection: last, stages: [{}, {from_epoch: 2, reload_best: true}]}"); }),
      HasSubstr("selection other than last"));
}

}  // namespace
}  // namespace tagbench
