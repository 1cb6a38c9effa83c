#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <regex>
#include <thread>
#include <vector>

#include "caffe/test/test_caffe_main.hpp"
#include "caffe/util/logging.hpp"

namespace caffe {

namespace {

/** Puts the log's settings back. */
class LoggingTest : public ::testing::Test {
 protected:
  LoggingTest() : severity_(logging::MinSeverity()) { logging::SetMinSeverity(LOG_INFO); }
  ~LoggingTest() override {
    logging::SetMinSeverity(severity_);
    logging::SetLogFile("");
  }

  template <typename Function>
  static string Logged(const Function& f) {
    ::testing::internal::CaptureStderr();
    f();
    return ::testing::internal::GetCapturedStderr();
  }

  template <typename Function>
  static string ErrorOf(const Function& f) {
    try {
      f();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

 private:
  LogSeverity severity_;
};

int Counted(int* calls, int value) {
  ++*calls;
  return value;
}

}  // namespace

TEST_F(LoggingTest, LinesHaveGlogsShape) {
  const string prefix = R"(\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ test_logging\.cpp:\d+\] )";
  EXPECT_TRUE(std::regex_match(Logged([] { LOG(INFO) << "loss = " << 0.5; }),
                               std::regex("I" + prefix + "loss = 0\\.5\n")));
  EXPECT_TRUE(
      std::regex_match(Logged([] { LOG(WARNING) << "w"; }), std::regex("W" + prefix + "w\n")));
  EXPECT_TRUE(
      std::regex_match(Logged([] { LOG(ERROR) << "e"; }), std::regex("E" + prefix + "e\n")));
}

TEST_F(LoggingTest, LinesBelowTheSeverityAreDropped) {
  logging::SetMinSeverity(LOG_WARNING);
  EXPECT_EQ(logging::MinSeverity(), LOG_WARNING);
  EXPECT_EQ(Logged([] { LOG(INFO) << "quiet"; }), "");
  EXPECT_NE(Logged([] { LOG(WARNING) << "loud"; }), "");
}

TEST_F(LoggingTest, ConditionalLines) {
  int evaluated = 0;
  const string log = Logged([&] {
    LOG_IF(INFO, false) << Counted(&evaluated, 1);
    LOG_IF(INFO, true) << "kept";
    for (int i = 0; i < 5; ++i) {
      LOG_FIRST_N(INFO, 2) << "first" << i;
      LOG_EVERY_N(INFO, 3) << "every" << i;
    }
    VLOG(1) << "verbose";
  });
  EXPECT_EQ(evaluated, 0);
  const std::regex expected(
      R"(I[^\n]*kept\nI[^\n]*first0\nI[^\n]*every0\nI[^\n]*first1\nI[^\n]*every3\n)");
  EXPECT_TRUE(std::regex_match(log, expected)) << log;
}

TEST_F(LoggingTest, AlsoToAFile) {
  const string path = ::testing::TempDir() + "caffe_log_" + std::to_string(getpid());
  Logged([&] {
    LOG(INFO) << "before";
    logging::SetLogFile(path);
    LOG(INFO) << "one";
    LOG(INFO) << "two";
    logging::SetLogFile("");
    LOG(INFO) << "after";
  });
  std::ifstream file(path);
  string line, all;
  while (std::getline(file, line)) all += line.substr(line.find(']')) + ";";
  EXPECT_EQ(all, "] one;] two;");
  std::remove(path.c_str());
  EXPECT_CAFFE_ERROR(logging::SetLogFile("/no/such/folder/log"),
                     "/no/such/folder/log: cannot open the log file for writing");
}

TEST_F(LoggingTest, LinesOfThreadsStayWhole) {
  const string log = Logged([] {
    vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 50; ++i) LOG(INFO) << "abcdefghij" << "klmnopqrst";
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  std::istringstream lines(log);
  string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) {
    EXPECT_EQ(line.substr(line.find(']')), "] abcdefghijklmnopqrst");
  }
  EXPECT_EQ(count, 200);
}

TEST_F(LoggingTest, ChecksThatHoldDoNothing) {
  int evaluated = 0;
  CHECK(true) << Counted(&evaluated, 1);
  CHECK_EQ(Counted(&evaluated, 2), 2);
  CHECK_LT(1, 2u) << "mixed signs do not warn";
  CHECK_NE(string("a"), "b");
  EXPECT_EQ(evaluated, 1);  // the arguments once, the message never
}

TEST_F(LoggingTest, ErrorsSayTheMessageOrTheCondition) {
  const int one = 1;
  EXPECT_EQ(ErrorOf([&] { CHECK(one == 2) << "expected " << 2 << ", got " << one; }),
            "expected 2, got 1");
  EXPECT_EQ(ErrorOf([&] { CHECK(one == 2); }), "check failed: one == 2");
  EXPECT_EQ(ErrorOf([&] { CHECK_EQ(one, 2); }), "check failed: one == 2 (1 vs. 2)");
  EXPECT_EQ(ErrorOf([&] { CHECK_EQ(one, 2) << "numbers"; }), "numbers (one == 2: 1 vs. 2)");
  EXPECT_EQ(ErrorOf([&] { LOG(FATAL) << "no way: " << one; }), "no way: 1");
  EXPECT_EQ(ErrorOf([] { LOG(FATAL); }), "failed");
  EXPECT_EQ(ErrorOf([] { NOT_IMPLEMENTED; }), "not implemented yet");
}

TEST_F(LoggingTest, EveryComparison) {
  EXPECT_EQ(ErrorOf([] { CHECK_NE(3, 3); }), "check failed: 3 != 3 (3 vs. 3)");
  EXPECT_EQ(ErrorOf([] { CHECK_LT(3, 3); }), "check failed: 3 < 3 (3 vs. 3)");
  EXPECT_EQ(ErrorOf([] { CHECK_LE(4, 3); }), "check failed: 4 <= 3 (4 vs. 3)");
  EXPECT_EQ(ErrorOf([] { CHECK_GT(3, 3); }), "check failed: 3 > 3 (3 vs. 3)");
  EXPECT_EQ(ErrorOf([] { CHECK_GE(2, 3); }), "check failed: 2 >= 3 (2 vs. 3)");
  EXPECT_EQ(ErrorOf([] { CHECK_LE(1, 1); }), "no error");
  EXPECT_EQ(ErrorOf([] { CHECK_GE(1, 1); }), "no error");
}

TEST_F(LoggingTest, ArgumentsOfAFailingComparisonAreEvaluatedOnce) {
  int evaluated = 0;
  EXPECT_EQ(ErrorOf([&] { CHECK_EQ(Counted(&evaluated, 1), 2) << "x"; }),
            "x (Counted(&evaluated, 1) == 2: 1 vs. 2)");
  EXPECT_EQ(evaluated, 1);
}

TEST_F(LoggingTest, ChecksNestInIfAndElse) {
  const auto f = [](bool first, bool second) {
    if (first)
      CHECK_EQ(1, 2) << "then";
    else
      CHECK(second) << "else";
  };
  EXPECT_EQ(ErrorOf([&] { f(true, true); }), "then (1 == 2: 1 vs. 2)");
  EXPECT_EQ(ErrorOf([&] { f(false, false); }), "else");
  EXPECT_EQ(ErrorOf([&] { f(false, true); }), "no error");
}

TEST_F(LoggingTest, NotNullGivesThePointerBack) {
  int value = 3;
  EXPECT_EQ(CHECK_NOTNULL(&value), &value);
  int* null = nullptr;
  EXPECT_EQ(ErrorOf([&] { CHECK_NOTNULL(null); }), "check failed: null is not null");
}

TEST_F(LoggingTest, ErrorsKnowTheirPlaceAndOrigin) {
  try {
    CHECK(false) << "bad";
  } catch (const Error& error) {
    EXPECT_EQ(error.where().substr(0, 17), "test_logging.cpp:");
    EXPECT_EQ(error.message(), "bad");
    EXPECT_EQ(error.who(), "");
    const Error named = error.By("conv1 (Convolution)");
    EXPECT_STREQ(named.what(), "conv1 (Convolution): bad");
    EXPECT_EQ(named.where(), error.where());
    // The innermost origin stays.
    EXPECT_STREQ(named.By("net").what(), "conv1 (Convolution): bad");
  }
  EXPECT_EQ(logging::SourcePosition("/a/b/solver.cpp", 45), "solver.cpp:45");
  EXPECT_EQ(logging::SourcePosition("solver.cpp", 45), "solver.cpp:45");
}

#ifdef NDEBUG
TEST_F(LoggingTest, DebugChecksAreNotEvaluated) {
  int evaluated = 0;
  DCHECK(Counted(&evaluated, 0)) << "x";
  DCHECK_EQ(Counted(&evaluated, 0), 1) << "x";
  DLOG(INFO) << Counted(&evaluated, 0);
  EXPECT_EQ(evaluated, 0);
}
#endif

}  // namespace caffe
