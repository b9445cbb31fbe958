variables {
  folder  = "../../../patterns/any_folder"
  name    = null
  package = null
}

run "all_names_follow_the_folder" {
  assert {
    condition     = output.pattern == "any_folder" && output.name == "eventstore-any-folder"
    error_message = "The functions load the folder's code; a name without underscores is one for every service."
  }
  assert {
    condition     = output.package == "../../../patterns/any_folder/../../.build/any_folder.zip"
    error_message = "The build puts the package there."
  }
}

run "a_folder_that_is_the_current_one_has_a_name_too" {
  variables {
    folder = "."
  }
  assert {
    condition     = output.pattern == "pattern_identity"
    error_message = "`path.module` of a root module is a dot."
  }
}

run "a_store_can_have_a_name_and_a_package_of_its_own" {
  variables {
    name    = "orders"
    package = "/elsewhere/any_folder.zip"
  }
  assert {
    condition     = output.pattern == "any_folder" && output.name == "orders" && output.package == "/elsewhere/any_folder.zip"
    error_message = "Several copies of a store live side by side by their names."
  }
}

run "the_package_of_another_pattern_is_refused" {
  command = plan
  variables {
    package = "../../../.build/another.zip"
  }
  expect_failures = [var.package]
}
