// Creates the tables, and fills them: a country, a way to ship, a way to pay, and a telephone, of which there is one.
process.env.CREATE_TABLES = "1";
const core = require("@vendure/core");
const { GlobalFlag, LanguageCode } = require("@vendure/common/lib/generated-types");
const { config } = require("./config");

async function fill() {
  const app = await core.bootstrap({ ...config, apiOptions: { ...config.apiOptions, port: 0 } });
  const pays = { code: "dummy-payment-handler", arguments: [{ name: "automaticSettle", value: "true" }] };
  await app.get(core.Populator).populateInitialData({
    defaultLanguage: LanguageCode.en,
    defaultZone: "Europe",
    countries: [{ name: "United Kingdom", code: "GB", zone: "Europe" }],
    taxRates: [{ name: "Standard Tax", percentage: 20 }],
    shippingMethods: [{ name: "Standard", price: 500 }],
    paymentMethods: [{ name: "Dummy", handler: pays }],
    collections: [],
  });
  const users = app.get(core.TransactionalConnection).rawConnection.getRepository(core.User);
  const user = await users.findOneOrFail({ where: { identifier: "superadmin" } });
  const of = { apiType: "admin", user, languageCode: LanguageCode.en };
  const context = await app.get(core.RequestContextService).create(of);
  const [tax] = (await app.get(core.TaxCategoryService).findAll(context)).items;
  const [location] = (await app.get(core.StockLocationService).findAll(context)).items;
  const name = { languageCode: LanguageCode.en, name: "The last telephone" };
  const product = await app.get(core.ProductService).create(context, {
    enabled: true,
    translations: [{ ...name, slug: "last", description: "" }],
  });
  await app.get(core.ProductVariantService).create(context, [
    {
      productId: product.id,
      enabled: true,
      sku: "last",
      price: 1000,
      taxCategoryId: tax.id,
      trackInventory: GlobalFlag.TRUE,
      stockLevels: [{ stockLocationId: location.id, stockOnHand: 1 }],
      translations: [name],
    },
  ]);
  await app.close();
}

fill().then(
  () => process.exit(0),
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
