# The packages are those that the build has made.
variables {
  folder  = "../../../patterns/single_writer"
  name    = null
  package = null
}

run "all_names_follow_the_folder" {
  assert {
    condition     = output.pattern == "single_writer" && output.name == "eventstore-single-writer"
    error_message = "The functions load the folder's code; a name without underscores is one for every service."
  }
  assert {
    condition     = output.package == "../../../patterns/single_writer/../../.build/single_writer.zip"
    error_message = "The build puts the package there."
  }
}

run "a_folder_that_is_the_current_one_has_a_name_too" {
  variables {
    folder = "../../../patterns/single_writer/."
  }
  assert {
    condition     = output.pattern == "single_writer"
    error_message = "`path.module` of a root module is a dot."
  }
}

run "a_store_can_have_a_name_and_a_package_of_its_own" {
  variables {
    name    = "orders"
    package = "../../../.build/../.build/single_writer.zip"
  }
  assert {
    condition     = output.pattern == "single_writer" && output.name == "orders" && output.package == "../../../.build/../.build/single_writer.zip"
    error_message = "Several copies of a store live side by side by their names."
  }
}

run "the_package_and_the_module_are_of_one_version" {
  assert {
    condition     = output.version == trimspace(file("../../../VERSION")) && local.stamp.version == output.version
    error_message = "The file VERSION at the top is the version of both."
  }
}

run "the_package_of_another_pattern_is_refused" {
  command = plan
  variables {
    package = "../../../.build/ksuid.zip"
  }
  expect_failures = [output.package]
}

run "the_package_of_another_version_is_refused_whatever_it_is_called" {
  command = plan
  variables {
    package = "tests/single_writer.zip" # stands for one: its stamp, and no more
  }
  expect_failures = [output.package]
}

run "a_zip_that_the_build_did_not_make_is_refused" {
  command = plan
  variables {
    package = "main.tf"
  }
  expect_failures = [output.package]
}

run "a_package_that_is_not_there_is_refused" {
  command = plan
  variables {
    package = "single_writer.zip"
  }
  expect_failures = [output.package]
}
