//! The interface of the library is the one that its snapshot lists, with every signature.

use public_api::Builder;

use crate::listed::miss;

#[test]
fn the_interface_is_the_one_that_is_listed() {
    let Ok(json) = std::env::var("INTERFACE") else {
        return miss(
            "it reads what rustdoc says in JSON, whose form is that of one toolchain: `.ci/run` runs it",
        );
    };
    let interface = Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .omit_auto_trait_impls(true)
        .omit_auto_derived_impls(true)
        .build()
        .unwrap();
    insta::assert_snapshot!("interface", interface);
}
